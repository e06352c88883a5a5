"""What breaks a page stands neither on it nor in the log (L2, N12)."""

import pytest

from customers import profiles
from customers.access import Viewer
from tests.security.haul import Haul
from tests.security.logs import logged
from tests.security.scene import Scene

VALUE = "Kanary Ö&<9999>"


def test_what_breaks_a_page_stands_neither_on_it_nor_in_the_log(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_viewer: Viewer, _id: object) -> None:
        local = VALUE
        raise ValueError(f"cannot show {local}")

    monkeypatch.setattr(profiles, "get", fail)
    client, haul = scene.client("lead"), Haul()
    client.raise_request_exception = False
    url = f"/w/{scene.words['workspace']}/customers/{scene.words['customer']}/"
    with logged() as lines:
        for headers in ({}, {"HX-Request": "true"}):
            response = client.get(url, headers=headers)
            assert response.status_code == 500
            haul.add("page", response.content)
            haul.add("headers", str(response.headers))
    haul.add("log", lines.getvalue())
    assert haul.find([VALUE]) == {}
    assert "ValueError" in lines.getvalue()
