"""The state of the repository that holds a config: commit, and whether tracked files differ from it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from mltrain.spec import Spec

_SECONDS = 5

# `git status` runs programs that the repository's own configuration names: content filters, the file monitor, the
# transport of a partial clone. A folder from a stranger can bring such a configuration along with its YAML.
_RUNS_PROGRAMS = re.compile(r"filter\.|include|extensions\.|remote\..*\.promisor$")


class Git(Spec):
    """The state of a repository."""

    commit: str
    """The commit that was checked out."""

    dirty: bool | None
    """Whether tracked files differed from the commit; null where that could not be found out safely and quickly."""


def git_state(directory: Path) -> Git | None:
    """Return the state of the repository that holds `directory`; None outside of one, or without git."""
    commit = _git(directory, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    settings = _git(directory, "config", "--local", "--name-only", "--list")
    if settings is None or any(map(_RUNS_PROGRAMS.match, settings.splitlines())):
        return Git(commit=commit.strip(), dirty=None)
    changes = _git(directory, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    return Git(commit=commit.strip(), dirty=None if changes is None else bool(changes.strip()))


def _git(directory: Path, *arguments: str) -> str | None:
    # GIT_DIR and its like point elsewhere when we run inside a git hook.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0"}
    safe = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
    try:
        done = subprocess.run(  # noqa: S603 (fixed words, no shell)
            ["git", *safe, "-C", str(directory), *arguments],  # noqa: S607
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
