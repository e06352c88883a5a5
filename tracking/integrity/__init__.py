"""Proof of what foreign keys would have promised, where ``scale-out.md`` allows none.

Which tables are checked comes from the registry of tables, so a new one is checked from its first day.
"""
