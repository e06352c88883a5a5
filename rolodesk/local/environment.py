"""``python -m rolodesk.local env``: the settings of the data folder's stack, for a shell."""

import os
import shlex

from rolodesk.local import postgres, valkey
from rolodesk.local.checks import read_port
from rolodesk.local.errors import CannotStart
from rolodesk.local.keys import make_environment
from rolodesk.local.paths import Paths, data_folder

# These belong to processes that the stack starts itself. With the mark, a later start would end the shell.
LEFT_OUT = ("ROLODESK_STACK", "PYTHONUNBUFFERED", "XDG_RUNTIME_DIR")


def export_lines() -> list[str]:
    """What a shell needs to run ``manage.py`` beside a running stack. Raises CannotStart."""
    paths = Paths(data_folder())
    if not paths.keys.exists():
        message = f"There is nothing in the data folder {paths.data} yet; run make up first."
        raise CannotStart(message)
    made = make_environment(paths, read_port(), database_url=postgres.url(paths), broker_url=valkey.url(paths))
    return [
        f"export {name}={shlex.quote(value)}"
        for name, value in sorted(made.items())
        if name not in LEFT_OUT and os.environ.get(name) != value
    ]
