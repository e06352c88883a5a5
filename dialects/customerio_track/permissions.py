"""What each operation wants of a token and of its user (security.md P8): a key that may edit may not erase."""

EDIT = "edit"
ERASE = "erase"
MERGE = "merge"
SEGMENTS = "manage_segments"
SUPPRESS = "suppress"
