"""The decision of the security specification, section 2, in plain Python, for the sources that exist: P and S."""

from collections.abc import Collection

SCOPES = {1: "pii:personal", 2: "pii:sensitive"}


def sees(
    k: int, *, p: int = 0, s: int = 0, is_root: bool = False, is_restricted: bool = False,
    scopes: Collection[str] | None = None,
) -> bool:  # fmt: skip
    """Whether a value of class ``k`` is shown; ``p`` and ``s`` are the highest classes granted, ``s`` to this row."""
    if k == 3:  # T3
        return False
    if k == 0 and not is_restricted:  # T4
        return True
    k = max(k, 1)
    if scopes is not None and SCOPES[k] not in scopes:  # T5
        return False
    return not is_restricted and (is_root or max(p, s) >= k)  # T8: no source names single customers yet; T9, T10
