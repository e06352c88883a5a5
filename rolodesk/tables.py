"""What kind of table each model is on a cluster (specs: scale-out).

``big`` tables are distributed by the customer id, ``lookup`` tables by their own value, ``config`` tables
are small and copied to every node, ``plain`` ones stay on the coordinator. A test walks all models and
fails for one that is missing here or breaks a rule of its kind.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["big", "lookup", "config", "plain"]


@dataclass(frozen=True, slots=True)
class Table:
    """The kind of a table and, where it is distributed, by which column."""

    kind: Kind
    column: str = ""


TABLES = {
    "customers.Customer": Table("big", "id"),
    "customers.CustomerProfile": Table("big", "customer_id"),
    "customers.CustomerIdentifier": Table("big", "customer_id"),
    "customers.CustomerSearch": Table("big", "customer_id"),
    "customers.PropertyChange": Table("big", "customer_id"),
    "customers.IdentifierLookup": Table("lookup", "digest"),
    "customers.SuppressedIdentifier": Table("lookup", "digest"),
    "customers.Device": Table("big", "customer_id"),
    "customers.Relationship": Table("big", "customer_id"),
    "customers.Subscription": Table("big", "customer_id"),
    "customers.DeviceLookup": Table("lookup", "digest"),
    "customers.Object": Table("lookup", "id"),
    "customers.ObjectLookup": Table("lookup", "digest"),
    "customers.Workspace": Table("config"),
    "customers.ObjectType": Table("config"),
    "customers.Topic": Table("config"),
    "customers.IdentifierKind": Table("config"),
    "customers.PropertyDefinition": Table("config"),
    "customers.User": Table("plain"),
    "customers.WorkspaceUserGrant": Table("plain"),
    "customers.WorkspaceGroupGrant": Table("plain"),
    "customers.Token": Table("plain"),
    "customers.AuditEntry": Table("plain"),
    "customers.SearchHandle": Table("plain"),
    "tracking.Event": Table("big", "customer_id"),
    "tracking.EventCounter": Table("big", "customer_id"),
    "tracking.DirtyCustomer": Table("big", "customer_id"),
    "tracking.EventSeen": Table("lookup", "client_id"),
    "tracking.Delivery": Table("big", "customer_id"),
    "tracking.DeliveryLookup": Table("lookup", "digest"),
    "tracking.EventDefinition": Table("config"),
    "tracking.Form": Table("config"),
    "tracking.InboxItem": Table("plain"),
    "tracking.QuarantinedItem": Table("plain"),
    "tracking.IntakeTotal": Table("plain"),
    "segments.SegmentMember": Table("big", "customer_id"),
    "segments.SegmentChange": Table("big", "customer_id"),
    "segments.Segment": Table("config"),
    "segments.SegmentUserGrant": Table("plain"),
    "segments.SegmentGroupGrant": Table("plain"),
}

# Tables of packages we install; none of them points at a customer.
PLAIN_APPS = frozenset(
    [
        "admin",
        "auth",
        "contenttypes",
        "sessions",
        "guardian",
        "account",
        "mfa",
        "usersessions",
        "axes",
        "django_celery_beat",
    ]
)
