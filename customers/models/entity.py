"""Objects: records that are no people, such as companies or courses, and who belongs to them."""

import uuid_utils.compat as uuids
from django.db import models

from customers.models.workspace import Workspace


class ObjectType(models.Model):
    """A type of objects. ``number`` is what the wires call it, counted within the workspace."""

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    number = models.IntegerField()
    name = models.CharField(max_length=120)

    class Meta:
        db_table = "object_type"
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="object_type_number")]
        ordering = ["number"]

    def __str__(self) -> str:
        return self.name


class Object(models.Model):
    """A record that is no person. ``raw_key`` is its id at the client, unique within its type."""

    id = models.UUIDField(primary_key=True, default=uuids.uuid7)
    workspace_id = models.IntegerField()
    type_id = models.IntegerField()
    raw_key = models.TextField()
    raw_props = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "object"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)


class ObjectLookup(models.Model):
    """Digest of an object's key -> the object: what makes the key unique within the type."""

    pk = models.CompositePrimaryKey("workspace_id", "type_id", "digest")
    workspace_id = models.IntegerField()
    type_id = models.IntegerField()
    digest = models.UUIDField()
    object_id = models.UUIDField()

    class Meta:
        db_table = "object_lookup"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.object_id)


class Relationship(models.Model):
    """A customer belongs to an object, with attributes of its own."""

    pk = models.CompositePrimaryKey("customer_id", "object_id")
    customer_id = models.UUIDField()
    object_id = models.UUIDField()
    raw_attributes = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "relationship"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.customer_id} {self.object_id}"
