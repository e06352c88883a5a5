"""Stored searches behind opaque handles, so that no search text stands in a URL."""

from django.db import models


class SearchHandle(models.Model):
    """What one person searched for in one workspace; sealed with the app key, gone after a day."""

    id = models.CharField(primary_key=True, max_length=32)
    user_id = models.IntegerField()
    workspace_id = models.IntegerField()
    sealed = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "search_handle"
        default_permissions = ()

    def __str__(self) -> str:
        return self.pk
