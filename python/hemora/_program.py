"""Finds the program and runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Iterator, Union

#: What a flag may be given: ``True`` for a flag without a value, several values for one that may be repeated.
Option = Union[
    None, bool, int, float, str, "os.PathLike[str]", Sequence[Union[int, float, str, "os.PathLike[str]"]]
]

#: Some files failed and are named in the result; the rest was done.
SOME_FAILED = 3


class HemoraError(Exception):
    """The program was not found, or ended with an error; the text is what it said."""

    def __init__(self, message: str, returncode: int | None = None) -> None:
        super().__init__(message)
        #: How the program ended: 1 an error, 2 wrong flags; ``None`` where it did not start.
        self.returncode = returncode


def _places() -> Iterator[Path]:
    named = os.environ.get("HEMORA_PROGRAM")
    if named:
        yield Path(named)
        return
    # Where pip puts programs: the environment's, the user's, and those of `pip install --target`.
    yield Path(sysconfig.get_path("scripts")) / "hemora"
    user = "posix_user" if os.name == "posix" else "nt_user"
    yield Path(sysconfig.get_path("scripts", user)) / "hemora"
    yield Path(__file__).parent.parent / "bin" / "hemora"
    on_path = shutil.which("hemora")
    if on_path:
        yield Path(on_path)


def find_program() -> Path:
    """The program that the functions run: ``HEMORA_PROGRAM``, else what pip installed, else that on the path.

    :raises HemoraError: if there is none.
    """
    tried = []
    for place in _places():
        if place.is_file() and os.access(place, os.X_OK):
            return place
        tried.append(str(place))
    raise HemoraError(
        f"there is no program at {' or '.join(tried)}: install the wheel again, or name it in HEMORA_PROGRAM"
    )


def version() -> str:
    """The version of the program."""
    return run(["--version"], progress=False).stdout.split()[-1]


def flags(options: dict[str, Option]) -> list[str]:
    """Keywords as flags: ``key_slices=3`` as ``--key-slices=3``."""
    made: list[str] = []
    for name, value in options.items():
        flag = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            made.append(flag)
        elif isinstance(value, (str, int, float, os.PathLike)):
            made.append(f"{flag}={_text(value)}")
        else:
            made.extend(f"{flag}={_text(one)}" for one in value)
    return made


def _text(value: int | float | str | os.PathLike[str]) -> str:
    return str(value) if isinstance(value, (int, float)) else os.fspath(value)


def run(arguments: Sequence[str], *, progress: bool) -> subprocess.CompletedProcess[str]:
    """Runs the program to its end. With ``progress`` what it tells people goes to standard error as it comes.

    :raises HemoraError: with the program's words, if it ended with an error.
    """
    program = find_program()
    if progress:
        sys.stderr.flush()
    try:
        done = subprocess.run(
            [str(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if progress else subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise HemoraError(f"cannot start {program}: {error}") from error
    if done.returncode not in (0, SOME_FAILED):
        said = (done.stderr or done.stdout or "").strip()
        if done.returncode < 0:
            said = f"{said}\nsignal {-done.returncode} ended it".strip()
        raise HemoraError(said or f"hemora ended with {done.returncode}", done.returncode)
    return done
