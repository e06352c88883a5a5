"""The run itself: a workspace or two, the load, the kills, the wait for the inbox, the account."""

import contextlib
import threading
import time
from collections import Counter
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

import psycopg
from django.db import connections

from customers.models import User
from customers.services.grants import grant_on_workspace
from customers.services.tokens import issue_token
from customers.services.workspaces import create_workspace
from rolodesk.database import connect
from tests.faults import tables
from tests.faults.account import Account, Watch, settle
from tests.faults.kills import GENTLE, Killer
from tests.faults.load import Account as Credentials
from tests.faults.load import Sender
from tests.faults.operations import Client
from tests.faults.people import People
from tests.faults.stack import Stack

PERMISSIONS = ["edit", "erase", "merge", "suppress"]
WORKSPACES = 2
DRAIN_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of what."""

    seed: int
    kills: int
    operations: int
    connections: int = 8
    at_once: int = 3


def run(stack: Stack, plan: Plan) -> tuple[dict[str, Any], list[str]]:
    """The figures, and a line for each of the first violations."""
    began = time.monotonic()
    stop = threading.Event()
    senders = _senders(stack, plan, stop)
    watch = Watch(senders, stop)
    watcher = threading.Thread(target=watch.run, name="watch", daemon=True)
    killer = Killer(stack, senders, Random(f"kills {plan.seed}"), plan.kills, plan.operations, plan.at_once)
    for thread in (watcher, *(sender.thread for sender in senders)):
        thread.start()
    try:
        killer.run()
        while sum(sender.figures.operations for sender in senders) < plan.operations:
            time.sleep(0.1)
    finally:  # told to end in the middle we wait for nobody
        stop.set()
    for thread in (watcher, *(sender.thread for sender in senders)):
        thread.join()
    load_seconds = time.monotonic() - began
    drain_seconds = _drain()
    account = settle(stack, senders, tables.read())
    for violation in watch.violations:
        account.note("unaccounted", violation)
    for fault in killer.faults:
        if not fault.is_over:
            account.note("not_recovered", fault.kind)
    figures = _figures(plan, senders, killer, account) | {
        "looks": watch.looks,
        "load_seconds": round(load_seconds, 1),
        "drain_seconds": round(drain_seconds, 1),
        "seconds": round(time.monotonic() - began, 1),
    }
    connections.close_all()
    return figures, account.lines


def _senders(stack: Stack, plan: Plan, stop: threading.Event) -> list[Sender]:
    """Clients with people of their own, shared out between the workspaces."""
    owner = User.objects.create(username="faults", is_service=True)
    accounts = []
    for number in range(WORKSPACES):
        workspace_id = create_workspace(name=f"Faults {number}")
        grant_on_workspace(user_id=owner.pk, workspace_id=workspace_id, permissions=PERMISSIONS)
        site_id = f"site-{number}"
        key = issue_token(
            user_id=owner.pk, workspace_id=workspace_id, face="track", name="faults", scopes=PERMISSIONS,
            public_id=site_id,
        )  # fmt: skip
        accounts.append((workspace_id, Credentials(stack.port, site_id, key)))
    senders = []
    for number in range(plan.connections):
        workspace_id, credentials = accounts[number % WORKSPACES]
        client = Client(People(number, workspace_id), Random(f"client {plan.seed} {number}"))
        senders.append(Sender(client, credentials, stop))
    return senders


def _drain() -> float:
    """Wait until nothing waits."""
    began = time.monotonic()
    while time.monotonic() - began < DRAIN_SECONDS:
        with contextlib.suppress(psycopg.Error), connect(application="faults drain") as connection:
            row = connection.execute("SELECT count(*) FROM inbox").fetchone()
            if row == (0,):
                break
        time.sleep(0.2)
    return time.monotonic() - began


def _figures(plan: Plan, senders: list[Sender], killer: Killer, account: Account) -> dict[str, Any]:
    sums = {
        name: sum(getattr(sender.figures, name) for sender in senders)
        for name in ("requests", "operations", "refused", "busy", "unknown", "server_errors", "hang_ups")
    }
    items = [item for sender in senders for item in sender.client.people.items]
    found = account.violations
    kinds = Counter(fault.kind for fault in killer.faults)
    return {
        "seed": plan.seed,
        "connections": len(senders),
        "acknowledged": sums["operations"],
        **{name: count for name, count in sums.items() if name != "operations"},
        "by_effect": dict(Counter(item.effect for item in items)),
        "kills": sum(n for kind, n in kinds.items() if kind not in GENTLE),
        "gentle": sum(n for kind, n in kinds.items() if kind in GENTLE),
        "lost": found["lost"],
        "doubled": found["doubled"],
        "suppressed_left": found["suppressed_left"],
        "violations": sum(found.values()),
        "by_kind": {kind: n for kind, n in found.items() if n},
        "repeats_without_id": account.repeats,
        "not_judged": account.not_judged,
        "recovery_seconds": _recovery(killer),
    }


def _recovery(killer: Killer) -> dict[str, dict[str, float]]:
    """Number, median and longest time until the work was done again, by kind of fault."""
    times: dict[str, list[float]] = {}
    for fault in killer.faults:
        if fault.is_over:
            times.setdefault(fault.kind, []).append(fault.seconds)
    return {
        kind: {"n": len(found), "median": round(median(found), 1), "max": round(max(found), 1)}
        for kind, found in sorted(times.items())
    }
