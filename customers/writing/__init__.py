"""The write gate for people, one module a subject; whole statements, as in ``customers/sql.py``.

Every function takes the connection of the transaction it belongs to, so the same code serves the ingest
workers and the services behind pages. It locks customers one statement each, in the order of their ids.
"""
