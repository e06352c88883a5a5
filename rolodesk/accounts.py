"""Sign-in rules of ours on top of allauth's."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by administrators; nobody signs himself up."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Never."""
        return False
