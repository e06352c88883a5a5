"""The write gate: how data gets from any face to the tables.

``operations`` says what can be written. ``collector`` makes it durable in the inbox, many requests a
commit. ``worker`` claims it and ``apply`` writes it, set based, in one transaction that also deletes
the claim. Delete and effect commit together, so each item counts exactly once.
"""
