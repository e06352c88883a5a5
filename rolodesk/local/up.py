"""``make up``: start everything, wait, stop everything."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

from rolodesk.local import checks, leftovers, static
from rolodesk.local.child import end_with_parent
from rolodesk.local.errors import CannotStart
from rolodesk.local.paths import REPOSITORY, Paths, data_folder
from rolodesk.local.programs import Program, manage, wrap
from rolodesk.local.signals import deaf, stoppable
from rolodesk.local.stack import Stack, app_programs, make_stack
from rolodesk.local.supervision import Supervisor

HEALTH_SECONDS = 60.0
COMMAND_STOP_SECONDS = 15.0
OK = 200


def up() -> int:
    """Run until somebody stops us; the exit code."""
    began = time.monotonic()
    if os.environ.get("MAKELEVEL"):
        end_with_parent(signal.SIGTERM, os.getppid())  # make forwards what it is told, but for kill -9
    paths = Paths(data_folder())
    port = checks.read_port()
    checks.make_folders(paths)
    checks.check_space(paths)
    with ExitStack() as exits:
        exits.enter_context(checks.take_lock(paths))
        exits.enter_context(stoppable())
        leftovers.clear(paths)
        checks.check_port(port)
        # Whatever happens from here on, nothing of ours lives longer than we do.
        exits.callback(leftovers.clear, paths)
        say("Starting services …")
        stack = make_stack(paths, port, durable=True)
        programs = [*stack.services, *app_programs(paths, port)]
        supervisor = Supervisor(paths, programs, stack.environment)
        exits.callback(stop, supervisor)
        start(stack, supervisor, port)
        announce(paths, stack.environment["ROLODESK_BASE_URL"], time.monotonic() - began)
        supervisor.process.wait()
        message = f"The process supervisor ended by itself; see {paths.log / 'supervisor.log'}."
        raise CannotStart(message)


def say(text: str) -> None:
    """A line for the person at the terminal."""
    print(text, flush=True)  # noqa: T201  # this is its interface


def start(stack: Stack, supervisor: Supervisor, port: int) -> None:
    """Bring the database up to date, start the apps and fill the demo."""
    stack.wait(supervisor.is_alive)
    say("Preparing the database …")
    run_manage(stack, "migrate", "--noinput", "-v0")
    if not static.is_collected(stack.paths):
        run_manage(stack, "collectstatic", "--noinput", "-v0")
        static.remember(stack.paths)
    run_manage(stack, "bootstrap_demo")
    supervisor.start_apps()
    wait_for_health(stack.paths, supervisor, port)
    if os.environ.get("ROLODESK_DEMO") != "0":
        run_manage(stack, "load_demo")


def run_manage(stack: Stack, *arguments: str) -> None:
    """Run a ``manage.py`` command to its end; it goes when we are stopped."""
    program = Program("manage", manage(*arguments), 0)
    process = subprocess.Popen(  # noqa: S603  # our own command
        wrap(program, stack.paths.pid(program.name)),
        cwd=REPOSITORY,
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us alone; it would print a traceback
    )
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(COMMAND_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if code:
        message = f"manage.py {arguments[0]} failed with exit code {code}; its own message stands above."
        raise CannotStart(message)


def wait_for_health(paths: Paths, supervisor: Supervisor, port: int) -> None:
    """Wait until the web server answers with 200."""
    until = time.monotonic() + HEALTH_SECONDS
    while supervisor.is_alive() and time.monotonic() < until:
        if is_healthy(port):
            return
        time.sleep(0.1)
    message = f"The web server did not become ready; see {paths.log / 'web.log'}."
    raise CannotStart(message)


def is_healthy(port: int) -> bool:
    """One try."""
    connection = http.client.HTTPConnection(checks.HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/")
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def announce(paths: Paths, address: str, seconds: float) -> None:
    """Print the address, the sign-ins and the tokens."""
    say(f"\nRolodesk is ready after {seconds:.1f} s: {address}\n")
    try:
        demo = json.loads(paths.demo.read_text())
    except (OSError, ValueError):
        demo = {}
    for role, person in demo.get("people", {}).items():
        say(f"  {role:<7} {person.get('username', ''):<20} {person.get('password', '')}")
    for name, token in demo.get("tokens", {}).items():
        say(f"  {name:<7} {json.dumps(token)}")
    say(f"\n  Kept in {paths.demo}; logs in {paths.log}. Ctrl-C stops everything.")


def stop(supervisor: Supervisor) -> None:
    """End in order; a second Ctrl-C does not cut it short."""
    deaf()
    print("\nStopping …", file=sys.stderr, flush=True)  # noqa: T201  # this is its interface
    supervisor.stop()
