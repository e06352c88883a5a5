"""Consent: the newest word on each topic counts; each change stands in the history."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from customers.models.subscription import EVERYTHING
from rolodesk.database import Connection
from rolodesk.staging import NULL, copy_lines, prepare

STAGE = "stage_consent"


@dataclass(frozen=True, slots=True)
class Word:
    """What a customer said about a topic; ``is_subscribed`` None: forget all topics that are not named with it."""

    customer_id: UUID
    topic: int
    is_subscribed: bool | None
    at: datetime
    seq: int
    source: str


def prepare_stages(connection: Connection) -> None:
    """Make the stage of this connection."""
    prepare(
        connection,
        STAGE,
        "customer_id uuid, topic int, is_subscribed bool, at timestamptz, seq int, source text",
        "gen_random_uuid(), g % 5, true, now(), g, 'track'",
    )


# A list of topics that is complete forgets the others; topic 0 is no topic of that list.
_WORDS = """
WITH complete AS MATERIALIZED (
  SELECT customer_id, max(at) AS at FROM stage_consent WHERE is_subscribed IS NULL GROUP BY customer_id
), forgotten AS (
  DELETE FROM subscription s USING complete c
  WHERE s.customer_id = c.customer_id AND s.topic <> 0 AND s.at <= c.at AND NOT EXISTS (
    SELECT FROM stage_consent w
    WHERE w.customer_id = s.customer_id AND w.topic = s.topic AND w.is_subscribed IS NOT NULL)
  RETURNING s.customer_id, s.topic, s.is_subscribed AS old
), newest AS MATERIALIZED (
  SELECT DISTINCT ON (customer_id, topic) customer_id, topic, is_subscribed, at, source
  FROM stage_consent WHERE is_subscribed IS NOT NULL ORDER BY customer_id, topic, at DESC, seq DESC
), known AS MATERIALIZED (
  SELECT s.customer_id, s.topic, s.is_subscribed FROM subscription s JOIN newest n USING (customer_id, topic)
), written AS (
  INSERT INTO subscription AS s (customer_id, topic, is_subscribed, at, source)
  SELECT customer_id, topic, is_subscribed, at, source FROM newest ORDER BY customer_id, topic
  ON CONFLICT (customer_id, topic) DO UPDATE
    SET is_subscribed = excluded.is_subscribed, at = excluded.at, source = excluded.source WHERE excluded.at >= s.at
  RETURNING s.customer_id, s.topic, s.is_subscribed, s.at, s.source
)
INSERT INTO property_change (customer_id, at, id, name, raw_old, raw_new, ts, source, part, failure)
SELECT w.customer_id, %(at)s, gen_random_uuid(), w.topic::text, to_jsonb(k.is_subscribed), to_jsonb(w.is_subscribed),
       w.at, w.source, 'consent', ''
FROM written w LEFT JOIN known k USING (customer_id, topic) WHERE k.is_subscribed IS DISTINCT FROM w.is_subscribed
UNION ALL
SELECT f.customer_id, %(at)s, gen_random_uuid(), f.topic::text, to_jsonb(f.old), NULL, c.at, 'topics', 'consent', ''
FROM forgotten f JOIN complete c USING (customer_id)
"""
_TOPICS = """
INSERT INTO topic (workspace_id, number, name, description)
SELECT w, n, 'Topic ' || n, '' FROM unnest(%s::int[], %s::int[]) AS t (w, n)
ON CONFLICT (workspace_id, number) DO NOTHING
"""


def say(connection: Connection, words: Iterable[Word], at: datetime) -> None:
    """Keep what customers said; an older word than the stored one changes nothing."""
    copy_lines(
        connection,
        STAGE,
        (
            f"{w.customer_id}\t{w.topic}\t{NULL if w.is_subscribed is None else w.is_subscribed}"
            f"\t{w.at}\t{w.seq}\t{w.source}"
            for w in words
        ),
    )
    connection.execute(_WORDS, {"at": at})


def ensure_topics(connection: Connection, topics: Collection[tuple[int, int]]) -> None:
    """Make topics that nobody has named yet: (workspace, number)."""
    numbered = sorted(one for one in topics if one[1] != EVERYTHING)
    if numbered:
        connection.execute(_TOPICS, [[w for w, _ in numbered], [n for _, n in numbered]])


_MOVE = """
WITH moved AS (
  DELETE FROM subscription WHERE customer_id = %(source)s RETURNING topic, is_subscribed, at, source
)
INSERT INTO subscription AS s (customer_id, topic, is_subscribed, at, source)
SELECT %(into)s::uuid, topic, is_subscribed, at, source FROM moved
ON CONFLICT (customer_id, topic) DO UPDATE SET is_subscribed = false, at = greatest(s.at, excluded.at)
  WHERE s.is_subscribed AND NOT excluded.is_subscribed
"""


def merge(connection: Connection, _workspace_id: int, into: UUID, source: UUID) -> int:
    """The survivor's word counts where both have one, but for a "no" of the source: the stricter wins.

    The vendor lets the survivor's yes win; nobody should get messages he has refused.
    """
    return connection.execute(_MOVE, {"into": into, "source": source}).rowcount


def erase(connection: Connection, _workspace_id: int, customer_id: UUID) -> int:
    """Forget what a customer said."""
    return connection.execute("DELETE FROM subscription WHERE customer_id = %s", [customer_id]).rowcount
