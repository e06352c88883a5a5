"""Run one command with services of its own, as the tests and the benchmarks do."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rolodesk.local import checks, leftovers
from rolodesk.local.errors import Stopped
from rolodesk.local.paths import REPOSITORY, Paths, data_folder
from rolodesk.local.programs import Program, wrap
from rolodesk.local.signals import deaf, stoppable
from rolodesk.local.stack import make_stack

PATIENCE_SECONDS = 15.0


def run(folder: str, command: list[str], *, durable: bool) -> int:
    """The command's exit code."""
    paths = Paths(data_folder() / folder)
    port = checks.read_port()
    checks.make_folders(paths)
    checks.check_space(paths)
    with ExitStack() as exits:
        exits.enter_context(checks.take_lock(paths))
        exits.enter_context(stoppable())
        leftovers.clear(paths)
        exits.callback(leftovers.clear, paths)
        stack = make_stack(paths, port, durable=durable)
        running = [exits.enter_context(service(paths, program, stack.environment)) for program in stack.services]
        stack.wait(lambda: all(process.poll() is None for process in running))
        return run_command(paths, command, stack.environment)


@contextmanager
def service(paths: Paths, program: Program, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A service for as long as the context lasts."""
    with (paths.log / f"{program.name}.log").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own command
            wrap(program, paths.pid(program.name)),
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        deaf()
        # The rest, and what does not listen, is for leftovers.clear.
        process.send_signal(signal.Signals[f"SIG{program.stop_signal}"])
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run_command(paths: Paths, command: list[str], environment: dict[str, str]) -> int:
    """Run it in our process group, so that Ctrl-C reaches it too and it can end in its own way."""
    line = wrap(Program("command", command, 0), paths.pid("command"))
    process = subprocess.Popen(line, cwd=REPOSITORY, env=environment)  # noqa: S603  # the caller's own command
    try:
        code = process.wait()
    except Stopped:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return code if code >= 0 else 128 - code
