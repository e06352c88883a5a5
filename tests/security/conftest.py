"""Fixtures of the security tests."""

from uuid import UUID

import pytest

from tests.cast import Cast
from tests.security.scene import Scene, make_scene


@pytest.fixture
def scene(cast: Cast, anna: UUID) -> Scene:
    """The cast around Anna, with one row of every setting."""
    return make_scene(cast, anna)
