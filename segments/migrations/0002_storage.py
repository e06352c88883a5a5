"""Indexes that the ORM cannot state."""

from django.db import migrations

FORWARD = """
CREATE INDEX segment_member_by_customer ON segment_member (customer_id) INCLUDE (segment_id);
CREATE INDEX segment_change_by_segment ON segment_change (segment_id, at DESC);
"""
BACKWARD = """
DROP INDEX segment_change_by_segment;
DROP INDEX segment_member_by_customer;
"""


class Migration(migrations.Migration):
    """Storage of memberships."""

    dependencies = [("segments", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, reverse_sql=BACKWARD)]
