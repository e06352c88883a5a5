"""Indexes and storage settings that the ORM cannot state (physical design of the big tables)."""

from django.db import migrations

FORWARD = """
CREATE INDEX event_by_type ON event (type_id, ts) INCLUDE (customer_id);
-- Without n in the index, an update of a counter stays on its page.
CREATE INDEX event_counter_by_type ON event_counter (type_id) INCLUDE (customer_id);
ALTER TABLE event_counter SET (fillfactor = 80);
-- An accepted body lives for milliseconds: compressing it is wasted, and dead rows must go at once.
ALTER TABLE inbox ALTER COLUMN raw_body SET STORAGE EXTERNAL;
ALTER TABLE inbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
"""
BACKWARD = """
ALTER TABLE inbox RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE inbox ALTER COLUMN raw_body SET STORAGE EXTENDED;
ALTER TABLE event_counter RESET (fillfactor);
DROP INDEX event_counter_by_type;
DROP INDEX event_by_type;
"""


class Migration(migrations.Migration):
    """Storage of the tables about events."""

    dependencies = [("tracking", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, reverse_sql=BACKWARD)]
