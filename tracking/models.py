"""Tables about what customers did, and the intake that brings it in."""

import uuid_utils.compat as uuids
from django.db import models

from customers.models import Workspace


class EventKind(models.TextChoices):
    """What sort of thing happened."""

    EVENT = "event"
    PAGE = "page"
    SCREEN = "screen"
    MESSAGE = "message"
    SYSTEM = "system"


class EventDefinition(models.Model):
    """What we know about events of one name. All page views of a workspace share one definition."""

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    kind = models.CharField(max_length=10, default=EventKind.EVENT)
    name = models.CharField(max_length=100)
    icon = models.CharField(max_length=40, blank=True)
    revenue_property = models.CharField(
        max_length=150, blank=True, help_text="The property that holds the amount, in the workspace's currency."
    )

    class Meta:
        db_table = "event_definition"
        constraints = [models.UniqueConstraint(fields=["workspace", "kind", "name"], name="event_definition_name")]

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """Something a customer did at a time; partitioned by the month of ``ts``."""

    pk = models.CompositePrimaryKey("customer_id", "ts", "id")
    customer_id = models.UUIDField()
    ts = models.DateTimeField()
    id = models.UUIDField(default=uuids.uuid7)
    type_id = models.IntegerField()
    received_at = models.DateTimeField()
    revenue = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    raw_props = models.JSONField(default=dict)

    class Meta:
        db_table = "event"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)


class EventSeen(models.Model):
    """A client's event id that carried no time, remembered for a week; partitioned by ``day``."""

    pk = models.CompositePrimaryKey("workspace_id", "client_id", "day")
    workspace_id = models.IntegerField()
    client_id = models.UUIDField(help_text="Digest of the client's id.")
    day = models.DateField()
    ts = models.DateTimeField()
    customer_id = models.UUIDField()

    class Meta:
        db_table = "event_seen"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.client_id)


class EventCounter(models.Model):
    """How often, first and last a customer did one thing, over all time."""

    pk = models.CompositePrimaryKey("customer_id", "type_id")
    customer_id = models.UUIDField()
    type_id = models.IntegerField()
    n = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    revenue = models.DecimalField(max_digits=24, decimal_places=6, null=True)

    class Meta:
        db_table = "event_counter"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.customer_id} {self.type_id}"


class DirtyCustomer(models.Model):
    """A customer whose memberships may have changed; append only."""

    pk = models.CompositePrimaryKey("id", "customer_id")
    id = models.UUIDField(default=uuids.uuid7)
    customer_id = models.UUIDField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=20)

    class Meta:
        db_table = "dirty_customer"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.customer_id)


class Delivery(models.Model):
    """A message that was sent to a customer; what became of it are events of the kind ``message``."""

    pk = models.CompositePrimaryKey("customer_id", "digest")
    customer_id = models.UUIDField()
    digest = models.UUIDField()
    raw_delivery_id = models.TextField(help_text="The secret that reports of this message name.")
    channel = models.CharField(max_length=20, blank=True)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    last_metric = models.CharField(max_length=20, blank=True)

    class Meta:
        db_table = "delivery"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.channel} to {self.customer_id}"


class DeliveryLookup(models.Model):
    """Digest of a delivery id -> whose it is. Reports come without credentials, so it is unique everywhere."""

    digest = models.UUIDField(primary_key=True)
    workspace_id = models.IntegerField()
    customer_id = models.UUIDField()

    class Meta:
        db_table = "delivery_lookup"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.customer_id)


class Form(models.Model):
    """A form on somebody's web site. ``mapping`` says which attribute a field fills; null leaves it out."""

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    key = models.CharField(max_length=150)
    name = models.CharField(max_length=150, blank=True)
    fields = models.JSONField(default=list, help_text="Names of the fields that were seen.")
    mapping = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "form"
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="form_key")]

    def __str__(self) -> str:
        return self.name or self.key


class InboxItem(models.Model):
    """One accepted request: its operations as JSON, ``n`` of them, waiting for a worker.

    ``is_serial``: it does more than identify and track, so it waits for all before it and holds all behind it.
    """

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.IntegerField()
    route = models.TextField()
    n = models.IntegerField()
    received_at = models.DateTimeField()
    raw_body = models.TextField()
    is_serial = models.BooleanField(default=False)
    token_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "inbox"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class QuarantinedItem(models.Model):
    """One operation that could not be applied, with a reason that holds no value."""

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.IntegerField()
    route = models.TextField()
    received_at = models.DateTimeField()
    at = models.DateTimeField()
    reason = models.CharField(max_length=60)
    raw_body = models.TextField()

    class Meta:
        db_table = "quarantine"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pk} {self.reason}"


class IntakeTotal(models.Model):
    """What became of accepted operations, per workspace, day and worker (own rows: no shared lock)."""

    pk = models.CompositePrimaryKey("workspace_id", "day", "slot")
    workspace_id = models.IntegerField()
    day = models.DateField()
    slot = models.SmallIntegerField()
    accepted = models.BigIntegerField()
    applied = models.BigIntegerField()
    duplicate = models.BigIntegerField()
    suppressed = models.BigIntegerField()
    ignored = models.BigIntegerField()
    quarantined = models.BigIntegerField()

    class Meta:
        db_table = "intake_total"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.day} {self.slot}"
