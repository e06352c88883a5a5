"""Indexes and storage settings that the ORM cannot state (physical design of the big tables)."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

FORWARD = """
CREATE INDEX customer_search_line ON customer_search USING gin (raw_line gin_trgm_ops);
CREATE INDEX customer_identifier_prefix ON customer_identifier (kind_id, raw_folded);
ALTER TABLE customer SET (fillfactor = 90);
ALTER TABLE customer_profile SET (fillfactor = 85);
"""
BACKWARD = """
ALTER TABLE customer_profile RESET (fillfactor);
ALTER TABLE customer RESET (fillfactor);
DROP INDEX customer_identifier_prefix;
DROP INDEX customer_search_line;
"""


class Migration(migrations.Migration):
    """Storage of the tables about people."""

    dependencies = [("customers", "0001_initial")]
    operations = [TrigramExtension(), migrations.RunSQL(FORWARD, reverse_sql=BACKWARD)]
