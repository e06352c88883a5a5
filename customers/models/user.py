"""People who sign in, and service users who only own tokens."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Somebody who works with the console; ``is_service`` marks the owner of an integration's tokens."""

    is_service = models.BooleanField(default=False, help_text="Owns tokens of an integration; cannot sign in.")
    theme = models.CharField(max_length=8, default="auto")
    density = models.CharField(max_length=12, default="comfortable")
    has_shortcuts = models.BooleanField("keyboard shortcuts", default=True)

    class Meta(AbstractUser.Meta):
        db_table = "user"

    def __str__(self) -> str:
        return self.username

    @property
    def display_name(self) -> str:
        """The name shown to colleagues."""
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """Two letters for the account button."""
        words = self.display_name.replace("-", " ").split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
