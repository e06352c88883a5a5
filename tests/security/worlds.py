"""Two worlds that differ only in what a viewer may not see: how they are drawn."""

from dataclasses import dataclass

from hypothesis import strategies as st

from rolodesk.json import Json
from tests.properties.strategies import text, values

# A value in each of the two worlds.
Pair = tuple[Json, Json]

# Class of each; what is not here is undeclared, so personal.
CLASSES = {"name": 1, "plan": 0, "iban": 2, "pin": 3, "score": 1}
EVENT_CLASSES = {"shop": 0, "card": 2}
KINDS = {"external_id": 0, "email": 1, "phone": 1, "passport": 2, "anonymous_id": 1}
SEARCHED = ("name", "plan")
EVENTS = ("Purchase", "Visit", "Call")
# Highest class granted on the workspace, and on the members of the queue.
ROLES = {"support": (0, 0), "queue": (0, 1), "lead": (1, 0), "privacy": (2, 0), "root": (2, 0)}
AMOUNT = "amount"
# Values of what belongs to somebody: a device, an object, the tie to it, a message, two changes.
BELONGINGS = {
    "token": 1, "os": 0, "model": 1, "key": 1, "company": 2, "branch": 0, "role": 1, "delivery": 1,
    "plan before": 0, "plan after": 0, "note before": 1, "note after": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of a person, so many minutes before he was last seen."""

    name: str
    minutes: int
    properties: dict[str, Pair]
    amount: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of both worlds."""

    identifiers: dict[str, tuple[str, str]]
    properties: dict[str, Pair]
    events: list[Happening]
    minutes: int
    is_restricted: bool
    is_queued: bool
    is_debtor: tuple[bool, bool]
    state: str
    belongings: dict[str, Pair]
    aside: dict[str, Pair]

    @property
    def is_gone(self) -> bool:
        """Whether he has no values for anybody any more (T2)."""
        return self.state in ("merged", "deleted")


@dataclass(frozen=True, slots=True)
class World:
    """Both worlds. ``amount_class`` None: undeclared; ``has_revenue`` False: nothing says any more what adds up."""

    people: list[Person]
    amount_class: int | None
    has_revenue: bool


words = st.text("abn", min_size=1, max_size=4)
contents = values | text | st.sampled_from(["anna", "Banana nab", 7, ["a"], {"a": "b"}])
texts = text | st.sampled_from(["anna", "banana", ""])
happenings = st.builds(
    Happening,
    name=st.sampled_from(EVENTS),
    minutes=st.integers(0, 60 * 24 * 40),
    properties=st.dictionaries(st.sampled_from(["shop", "card", "remark"]), st.tuples(contents, contents), max_size=3),
    amount=st.tuples(*[st.none() | st.integers(1, 10_000) | st.integers(1, 10_000)] * 2),
)
people = st.builds(
    Person,
    identifiers=st.fixed_dictionaries(
        {kind: st.tuples(words, words) for kind in ("external_id", "email", "phone")},
        optional={kind: st.tuples(words, words) for kind in ("passport", "anonymous_id")},
    ),
    properties=st.fixed_dictionaries(
        {name: st.tuples(contents, contents) for name in ("name", "plan")},
        optional={name: st.tuples(contents, contents) for name in ("iban", "pin", "score", "note")},
    ),
    events=st.lists(happenings, max_size=4),
    minutes=st.integers(0, 60 * 24 * 3),
    is_restricted=st.sampled_from([False, False, True]),
    is_queued=st.booleans(),
    is_debtor=st.tuples(st.booleans(), st.booleans()),
    belongings=st.fixed_dictionaries({name: st.tuples(texts, texts) for name in BELONGINGS}),
    aside=st.fixed_dictionaries(
        {"name": st.tuples(words, words), "remark": st.tuples(contents, contents)},
        optional={"pin": st.tuples(contents, contents)},
    ),
    state=st.sampled_from([*["active"] * 7, "merged", "deleted", "anonymous"]),
)
worlds = st.builds(
    World,
    people=st.lists(people, min_size=2, max_size=5),
    amount_class=st.sampled_from([None, 0, 1, 2]),
    has_revenue=st.booleans(),
)
