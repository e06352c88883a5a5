"""Tables about who someone is, and who may see it."""

from customers.models.audit import AuditEntry
from customers.models.credential import Token
from customers.models.customer import Customer, CustomerProfile, CustomerSearch, PropertyChange
from customers.models.device import Device, DeviceLookup
from customers.models.entity import Object, ObjectLookup, ObjectType, Relationship
from customers.models.handle import SearchHandle
from customers.models.identifier import CustomerIdentifier, IdentifierKind, IdentifierLookup, SuppressedIdentifier
from customers.models.property import PropertyDefinition
from customers.models.subscription import Subscription, Topic
from customers.models.user import User
from customers.models.workspace import Workspace, WorkspaceGroupGrant, WorkspaceUserGrant

__all__ = [
    "AuditEntry",
    "Customer",
    "CustomerIdentifier",
    "CustomerProfile",
    "CustomerSearch",
    "Device",
    "DeviceLookup",
    "IdentifierKind",
    "IdentifierLookup",
    "Object",
    "ObjectLookup",
    "ObjectType",
    "PropertyChange",
    "PropertyDefinition",
    "Relationship",
    "SearchHandle",
    "Subscription",
    "SuppressedIdentifier",
    "Token",
    "Topic",
    "User",
    "Workspace",
    "WorkspaceGroupGrant",
    "WorkspaceUserGrant",
]
