"""Devices of customers, where pushes go."""

from django.db import models


class Device(models.Model):
    """A push target. A token is on one customer only; its digest is the look-up's key."""

    pk = models.CompositePrimaryKey("customer_id", "digest")
    customer_id = models.UUIDField()
    digest = models.UUIDField()
    raw_token = models.TextField()
    platform = models.CharField(max_length=20)
    last_used = models.DateTimeField()
    raw_attributes = models.JSONField(default=dict)

    class Meta:
        db_table = "device"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.platform} of {self.customer_id}"


class DeviceLookup(models.Model):
    """Digest of a token -> the customer who has the device."""

    pk = models.CompositePrimaryKey("workspace_id", "digest")
    workspace_id = models.IntegerField()
    digest = models.UUIDField()
    customer_id = models.UUIDField()

    class Meta:
        db_table = "device_lookup"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.customer_id)
