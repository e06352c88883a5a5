"""The tables of the naive application, with the same customers in them."""

import os
import secrets
import subprocess
import sys

from rolodesk.database import Connection

PEOPLE = (
    "INSERT INTO naive_customer (external_id, last_seen) SELECT external_id, now() FROM bench_person ORDER BY number"
)


def make(connection: Connection) -> str:
    """Make and fill the tables; returns the token."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.naive.settings"}
    command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"]
    subprocess.run(command, env=environment, check=True)
    token = secrets.token_hex(20)
    connection.execute(PEOPLE)
    connection.execute("INSERT INTO naive_token (key) VALUES (%s)", [token])
    connection.execute("VACUUM (ANALYZE) naive_customer")
    return token
