"""Tables about who belongs together."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from customers.models import Workspace

SEGMENT_PERMISSIONS = (
    ("view_personal_in_segment", "See personal data of the members"),
    ("view_sensitive_in_segment", "See sensitive data of the members"),
)


class SegmentKind(models.TextChoices):
    """How members come in."""

    DYNAMIC = "dynamic"
    MANUAL = "manual"


class Segment(models.Model):
    """A named set of customers. Only an access-scope segment may carry grants."""

    id = models.AutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=SegmentKind.choices, default=SegmentKind.MANUAL)
    data_class = models.PositiveSmallIntegerField(default=0, help_text="Highest class that the rule refers to.")
    is_access_scope = models.BooleanField("access scope", default=False)
    generation = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "segment"
        default_permissions = ()
        permissions = list(SEGMENT_PERMISSIONS)
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="segment_name")]

    def __str__(self) -> str:
        return self.name


class SegmentMember(models.Model):
    """A customer in a segment."""

    pk = models.CompositePrimaryKey("segment_id", "customer_id")
    segment_id = models.IntegerField()
    customer_id = models.UUIDField()
    entered_at = models.DateTimeField()
    generation = models.BigIntegerField(default=0)

    class Meta:
        db_table = "segment_member"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.segment_id} {self.customer_id}"


class SegmentChange(models.Model):
    """A customer entered or left a segment; partitioned by the month of ``at``, append only."""

    pk = models.CompositePrimaryKey("customer_id", "at", "segment_id")
    customer_id = models.UUIDField()
    at = models.DateTimeField()
    segment_id = models.IntegerField()
    entered = models.BooleanField()

    class Meta:
        db_table = "segment_change"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.segment_id} {self.customer_id}"


class SegmentUserGrant(UserObjectPermissionBase):
    """A permission of one user on the members of a segment."""

    content_object = models.ForeignKey(Segment, on_delete=models.CASCADE, db_constraint=False)

    class Meta(UserObjectPermissionBase.Meta):
        db_table = "segment_user_grant"


class SegmentGroupGrant(GroupObjectPermissionBase):
    """A permission of a group on the members of a segment."""

    content_object = models.ForeignKey(Segment, on_delete=models.CASCADE, db_constraint=False)

    class Meta(GroupObjectPermissionBase.Meta):
        db_table = "segment_group_grant"
