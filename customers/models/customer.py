"""The customer: a narrow row for lists and permission checks, with the document beside it.

Columns named ``raw_…`` hold stored values of any class. Only the read gates and the write gate may name
them; a test lists the modules that do.
"""

import uuid_utils.compat as uuids
from django.db import models


class CustomerState(models.TextChoices):
    """What has become of a customer."""

    ACTIVE = "active"
    ANONYMOUS = "anonymous"
    MERGED = "merged"
    DELETED = "deleted"


class Customer(models.Model):
    """A person we keep a record of. The id is the only one there is, inside and outside."""

    id = models.UUIDField(primary_key=True, default=uuids.uuid7)
    workspace_id = models.IntegerField()
    state = models.CharField(max_length=10, default=CustomerState.ACTIVE)
    is_restricted = models.BooleanField(default=False)
    merged_into = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    class Meta:
        db_table = "customer"
        default_permissions = ()
        indexes = [
            models.Index("workspace_id", models.F("last_seen").desc(), models.F("id").desc(), name="customer_list")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class CustomerProfile(models.Model):
    """The properties of a customer, with the time each was set.

    ``props_ts`` maps a property to microseconds since 1970 where that differs from ``base_ts``; it
    outlives the value, so that an older write cannot bring back what was removed.
    """

    customer_id = models.UUIDField(primary_key=True)
    raw_props = models.JSONField(default=dict)
    base_ts = models.DateTimeField()
    props_ts = models.JSONField(default=dict)

    class Meta:
        db_table = "customer_profile"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class ChangedPart(models.TextChoices):
    """What of a customer a change was about."""

    PROPERTY = "property"
    IDENTIFIER = "identifier"
    CONSENT = "consent"


class PropertyChange(models.Model):
    """One change of one property, identifier or consent; partitioned by the month of ``at``, append only."""

    pk = models.CompositePrimaryKey("customer_id", "at", "id")
    customer_id = models.UUIDField()
    at = models.DateTimeField()
    id = models.UUIDField(default=uuids.uuid7)
    name = models.TextField()
    raw_old = models.JSONField(null=True)
    raw_new = models.JSONField(null=True)
    ts = models.DateTimeField()
    source = models.TextField()
    part = models.CharField(max_length=12, default=ChangedPart.PROPERTY)
    failure = models.CharField(max_length=20, blank=True, help_text="Why the change was not made; empty: it was made.")

    class Meta:
        db_table = "property_change"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.id)


class CustomerSearch(models.Model):
    """One folded line per customer for search by part: names, e-mail, external id, searchable properties."""

    customer_id = models.UUIDField(primary_key=True)
    raw_line = models.TextField()

    class Meta:
        db_table = "customer_search"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
