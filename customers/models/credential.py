"""Tokens of the dialects."""

from django.conf import settings
from django.db import models

from customers.models.workspace import Workspace


class Token(models.Model):
    """A secret for one face, owned by a user whose live rights bound it. Only its SHA-256 is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, db_constraint=False)
    name = models.CharField(max_length=80)
    face = models.CharField(max_length=20)
    public_id = models.CharField(max_length=40, blank=True, help_text="The part that is no secret, such as a site id.")
    digest = models.BinaryField(unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "token"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.face} {self.name}"
