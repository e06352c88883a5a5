"""Seeds of second factors are sealed with the app key (W5), and their pages keep to the policy."""

import json
from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import connection
from django.test import Client

from customers.models import User
from rolodesk.errors import HandleRefused
from tests.cast import Cast
from tests.security.test_headers import wrong_headers, wrong_markup

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def stored() -> str:
    """What the database keeps of all second factors."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        return json.dumps(cursor.fetchall())


def test_the_seed_of_an_authenticator_app_is_sealed_and_still_works(cast: Cast) -> None:
    TOTP.activate(cast.lead, SEED)
    assert SEED not in stored()
    totp = TOTP(Authenticator.objects.get(user=cast.lead, type="totp"))
    code = format_hotp_value(hotp_value(SEED, next(yield_hotp_counters_from_time())))
    assert totp.validate_code(code)


def test_recovery_codes_are_made_of_a_sealed_seed(cast: Cast) -> None:
    codes = RecoveryCodes.activate(cast.lead).get_unused_codes()
    assert codes
    again = RecoveryCodes(Authenticator.objects.get(user=cast.lead, type="recovery_codes"))
    assert again.get_unused_codes() == codes
    plain = stored()
    assert '"seed"' in json.loads(plain)[0][0]
    assert not any(code in plain for code in codes)
    assert len(json.loads(json.loads(plain)[0][0])["seed"]) > 80, "a seed of its plain length"


def test_a_seed_from_another_installation_is_refused(cast: Cast, settings) -> None:
    TOTP.activate(cast.lead, SEED)
    totp = TOTP(Authenticator.objects.get(user=cast.lead, type="totp"))
    settings.APP_KEY = b"x" * 32
    with pytest.raises(HandleRefused):
        totp.validate_code("000000")


@pytest.mark.slow  # a password is given, which is made to take its time
def test_the_pages_that_set_it_up_keep_to_the_policy(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    client = sign_in(cast.lead)
    client.post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    for page in ("2fa/", "2fa/totp/activate/", "2fa/webauthn/add/", "2fa/recovery-codes/generate/"):
        response = client.get(f"/accounts/{page}")
        assert response.status_code == 200, page
        assert (wrong_headers(response), wrong_markup(response)) == (set(), []), page
