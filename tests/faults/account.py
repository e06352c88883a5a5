"""What was promised against what there is: lost, doubled, left behind, misplaced, unaccounted for."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from rolodesk.database import Connection, connect
from tests.faults import tables
from tests.faults.load import Sender
from tests.faults.people import EXTERNAL_ID, Item, People, Record
from tests.faults.stack import Stack
from tests.faults.tables import Facts
from tracking.integrity import checks

WATCH_SECONDS = 0.5
SHOWN = 40


@dataclass(slots=True)
class Account:
    """Violations by kind, with a line for each of the first ones; and what is no violation."""

    violations: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    # Without an id of the client's, sent again after an unknown answer, and there more than once.
    repeats: int = 0
    not_judged: int = 0

    def note(self, kind: str, what: str, count: int = 1) -> None:
        """Something is wrong."""
        self.violations[kind] += count
        if len(self.lines) < SHOWN:
            self.lines.append(f"{kind}: {what}")


def settle(stack: Stack, senders: list[Sender], facts: Facts) -> Account:
    """Compare everything."""
    account = Account()
    for sender in senders:
        people = sender.client.people
        for what in sender.odd:
            account.note("odd", what)
        for item in people.items:
            _judge(account, item, people, facts)
        for record in people.records():
            _judge_record(account, record, people, facts)
        _judge_rest(account, people, facts)
    _judge_sums(account, senders, facts)
    for finding in checks.run().findings:
        if finding.violations:
            account.note("integrity", finding.name, finding.violations)
    known = {token for sender in senders for token in sender.client.people.tokens}
    for name, text in stack.logs():
        for token in known:
            if token in text:
                account.note("logged", f"{token} in {name}")
    return account


# --- One by one ---------------------------------------------------------------------------------------


def _judge(account: Account, item: Item, people: People, facts: Facts) -> None:
    """Whether the effect of an item is there as often as it must."""
    if item.has_given_up or (item.record is not None and item.record.root.is_uncertain):
        account.not_judged += 1
        return
    if item.effect == "event":
        count = len(facts.events.get(item.marker, ()))
    elif item.effect == "property":
        count = facts.changes[item.name]
    elif item.effect == "quarantine":
        count = facts.quarantined[item.marker]
    else:
        return
    what = f"{item.effect} {item.marker} of {item.about}: {count} (ok {item.ok}, unknown {item.unknown})"
    if count < item.least:
        account.note("lost", what)
    elif count > item.most:
        account.note("left" if item.is_gone else "doubled", what)
    elif count > 1:
        account.repeats += count - 1
    if count and item.record is not None:
        owner = _customer(item.record.root, people, facts)
        if item.effect == "event" and set(facts.events[item.marker]) != {owner}:
            account.note("misplaced", what)


def _customer(record: Record, people: People, facts: Facts) -> UUID | None:
    """The customer of all his names; None when they do not agree."""
    found = {facts.names.get((people.workspace_id, *name)) for name in record.names}
    return found.pop() if len(found) == 1 else None


def _judge_record(account: Account, record: Record, people: People, facts: Facts) -> None:
    """Whether somebody has what he must have, and nothing else."""
    if record.is_uncertain:
        return
    customer = _customer(record, people, facts)
    if customer is None:
        account.note("misplaced", f"the names of {sorted(record.names)}")
        return
    assert customer in facts.properties
    for what, has, must in (
        ("properties", facts.properties[customer], record.properties),
        ("devices", facts.devices.get(customer, {}), record.devices),
        ("relationships", facts.relations.get(customer, {}), record.relations),
    ):
        if has != must:
            wrong = {key for key in has.keys() | must.keys() if has.get(key) != must.get(key)}
            kind = "lost" if any(key not in has for key in wrong) else "misplaced"
            account.note(kind, f"{what} {sorted(wrong)[:5]} of {sorted(record.names)[:2]}", len(wrong))


def _judge_rest(account: Account, people: People, facts: Facts) -> None:
    """Nothing is left of those who are gone; above all of those who are barred."""
    if any(item.has_given_up for item in people.items):
        return
    waiting = {item.about for item in people.items if item.effect == "quarantine" and not item.is_gone}
    for token in people.tokens:
        if people.is_present(token):
            continue
        # Deleting somebody leaves what waits in the quarantine.
        where = facts.tokens.get(token, set()) - ({"quarantine"} if token in waiting else set())
        if where:
            kind = "suppressed_left" if (EXTERNAL_ID, token) in people.barred else "left"
            account.note(kind, f"{token} in {sorted(where)}")


# --- Sums ---------------------------------------------------------------------------------------------


def _judge_sums(account: Account, senders: list[Sender], facts: Facts) -> None:
    """Per workspace: operations, customers, and what the audit says was done once."""
    account.violations["doubled"] += facts.repeated
    for workspace_id in {sender.client.people.workspace_id for sender in senders}:
        here = [sender for sender in senders if sender.client.people.workspace_id == workspace_id]
        items = [item for sender in here for item in sender.client.people.items]
        total = facts.totals[workspace_id]
        least = sum(item.ok for item in items)
        most = least + sum(item.unknown for item in items)
        if total.waiting or total.accepted != total.done or not least <= total.accepted <= most:
            account.note("unaccounted", f"{total} in {workspace_id}, sent {least} to {most}")
        if any(item.has_given_up for item in items):
            continue
        people = [sender.client.people for sender in here]
        expected = sum(1 for one in people for _ in one.records())
        if facts.live.get(workspace_id, 0) != expected:
            account.note("misplaced", f"{facts.live.get(workspace_id, 0)} customers in {workspace_id}, not {expected}")
        for action in tables.ONCE:
            done, must = facts.audited[workspace_id, action], sum(one.done[action] for one in people)
            if done != must:
                account.note("lost" if done < must else "doubled", f"{action}: {done}, not {must}", abs(done - must))


@dataclass(slots=True)
class Watch:
    """While it runs: whatever was acknowledged before a look is applied or waits (security.md I1, I5)."""

    senders: list[Sender]
    stop: threading.Event
    looks: int = 0
    violations: list[str] = field(default_factory=list)
    _connection: Connection | None = None

    def run(self) -> None:
        """Look again and again, as far as the database answers."""
        while not self.stop.wait(WATCH_SECONDS):
            acknowledged = Counter[int]()
            for sender in self.senders:
                acknowledged[sender.client.people.workspace_id] += sender.figures.operations
            totals = self._look()
            if totals is None:
                continue
            self.looks += 1
            for workspace_id, n in acknowledged.items():
                total = totals[workspace_id]
                if total.accepted != total.done or n > total.accepted + total.waiting:
                    self.violations.append(f"{total} in {workspace_id} with {n} acknowledged")

    def _look(self) -> dict[int, tables.Total] | None:
        try:
            if self._connection is None:
                self._connection = connect(application="faults watch")
            return tables.read_totals(self._connection)
        except psycopg.Error:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return None
