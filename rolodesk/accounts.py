"""Sign-in rules of ours on top of allauth's."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest

from rolodesk import sealing

SECOND_FACTOR = "second factor"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by administrators; nobody signs himself up."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Never."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Seeds are sealed: whoever reads the database or the administration cannot make codes of them."""

    def encrypt(self, text: str) -> str:
        """Seal a seed with the app key."""
        return sealing.seal(settings.APP_KEY, SECOND_FACTOR, text)

    def decrypt(self, encrypted_text: str) -> str:
        """Open it. Raises HandleRefused for one that was sealed with another key."""
        return str(sealing.unseal(settings.APP_KEY, SECOND_FACTOR, encrypted_text, max_age=None))
