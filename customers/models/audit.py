"""The record of who did and saw what."""

import uuid_utils.compat as uuids
from django.contrib.postgres.fields import ArrayField
from django.db import models


class AuditEntry(models.Model):
    """One thing done or shown: ids, names of properties, codes and keyed digests, never values."""

    id = models.UUIDField(primary_key=True, default=uuids.uuid7)
    at = models.DateTimeField(auto_now_add=True)
    workspace_id = models.IntegerField(null=True)
    user_id = models.IntegerField(null=True)
    face = models.CharField(max_length=20)
    action = models.CharField(max_length=60)
    route = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=36, blank=True)
    customer_ids = ArrayField(models.UUIDField(), default=list)
    classes = ArrayField(models.SmallIntegerField(), default=list)
    data = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_entry"
        default_permissions = ()
        indexes = [
            models.Index("workspace_id", models.F("at").desc(), name="audit_by_time"),
            models.Index("user_id", "action", models.F("at").desc(), name="audit_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.id}"
