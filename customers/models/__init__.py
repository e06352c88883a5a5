"""Tables about who someone is, and who may see it."""

from customers.models.audit import AuditEntry
from customers.models.credential import Token
from customers.models.customer import Customer, CustomerProfile, CustomerSearch, PropertyChange
from customers.models.handle import SearchHandle
from customers.models.identifier import CustomerIdentifier, IdentifierKind, IdentifierLookup, SuppressedIdentifier
from customers.models.property import PropertyDefinition
from customers.models.user import User
from customers.models.workspace import Workspace, WorkspaceGroupGrant, WorkspaceUserGrant

__all__ = [
    "AuditEntry",
    "Customer",
    "CustomerIdentifier",
    "CustomerProfile",
    "CustomerSearch",
    "IdentifierKind",
    "IdentifierLookup",
    "PropertyChange",
    "PropertyDefinition",
    "SearchHandle",
    "SuppressedIdentifier",
    "Token",
    "User",
    "Workspace",
    "WorkspaceGroupGrant",
    "WorkspaceUserGrant",
]
