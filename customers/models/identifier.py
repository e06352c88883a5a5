"""What points to a customer, stored twice: once for the profile page, once for the look-up."""

from django.db import models

from customers.models.workspace import Workspace


class IdentifierKind(models.Model):
    """A kind of identifier in a workspace, such as ``email``; ``data_class`` says who may see its values."""

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    name = models.SlugField(max_length=40)
    label = models.CharField(max_length=60)
    data_class = models.PositiveSmallIntegerField(default=1)
    normaliser = models.CharField(max_length=20, default="exact", help_text="exact, email, phone or uuid")
    has_lookup = models.BooleanField("exact look-up", default=True)
    is_searchable = models.BooleanField("search by part", default=False)
    is_multiple = models.BooleanField("several per customer", default=False)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the profile; first wins as the title.")

    class Meta:
        db_table = "identifier_kind"
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="identifier_kind_name")]
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.label


class CustomerIdentifier(models.Model):
    """An identifier as its owner has it, in the spelling that was given."""

    pk = models.CompositePrimaryKey("customer_id", "kind_id", "raw_normal")
    customer_id = models.UUIDField()
    kind_id = models.IntegerField()
    raw_value = models.TextField(help_text="As it was given.")
    raw_normal = models.TextField(db_collation="C", help_text="As it is compared; its digest is the look-up's key.")
    raw_folded = models.TextField(db_collation="C", help_text="As it is searched by part.")
    digest = models.UUIDField(help_text="Key of the same identifier in the look-up table.")
    last_used = models.DateTimeField()

    class Meta:
        db_table = "customer_identifier"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind_id} of {self.customer_id}"


class IdentifierLookup(models.Model):
    """Digest of an identifier -> customer: the one place that promises uniqueness in a workspace."""

    pk = models.CompositePrimaryKey("workspace_id", "kind_id", "digest")
    workspace_id = models.IntegerField()
    kind_id = models.IntegerField()
    digest = models.UUIDField(help_text="First 128 bits of HMAC-SHA256 over workspace, kind and folded value.")
    customer_id = models.UUIDField()

    class Meta:
        db_table = "identifier_lookup"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.customer_id)


class SuppressedIdentifier(models.Model):
    """An identifier barred from coming back, as a keyed digest only."""

    pk = models.CompositePrimaryKey("workspace_id", "kind_id", "digest")
    workspace_id = models.IntegerField()
    kind_id = models.IntegerField()
    digest = models.BinaryField(help_text="HMAC-SHA256 under the suppression key.")
    key_version = models.SmallIntegerField(default=1)
    at = models.DateTimeField()
    reason = models.TextField(default="")
    group_id = models.UUIDField(
        null=True, help_text="The customer it was of: what was barred together is freed together."
    )

    class Meta:
        db_table = "suppressed_identifier"
        default_permissions = ()

    def __str__(self) -> str:
        return f"suppressed {self.kind_id}"
