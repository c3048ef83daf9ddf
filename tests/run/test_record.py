from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from mltrain.run.git import git_state
from mltrain.run.record import Data, Device, Record, Threads, row_fingerprint, start_record
from mltrain.task import Decision

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *identity, "-C", directory, *arguments], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "--quiet")
    (path / "config.yaml").write_text("version: 1\n")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "-m", "first")
    return path


def test_a_record_says_what_is_needed_to_repeat_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    record = start_record(["mltrain", "train", "config.yaml"], tmp_path)
    assert record.command == ("mltrain", "train", "config.yaml")
    assert record.working_directory == str(Path.cwd())
    assert record.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert record.versions["numpy"] == np.__version__
    assert record.environment["OMP_NUM_THREADS"] == "3"
    assert record.machine.cores >= 1
    assert record.machine.processor
    assert "hunter2" not in record.model_dump_json()


def test_a_record_is_completed_step_by_step_and_comes_back_equal(tmp_path: Path) -> None:
    record = start_record(["mltrain"], tmp_path).with_values(
        device=Device(value="cpu", reason="no GPU was found"),
        threads=Threads(intra_op=2, inter_op=0),
        data=Data(source="penguins.csv", rows=3, sha256="ab"),
        splits={"train": row_fingerprint(np.array([2, 0, 1]))},
        seeds={"experiment": 42},
        decisions=(Decision("task", "binary", "the target has 2 classes"),),
    )
    assert Record.model_validate_json(json.dumps(record.model_dump(mode="json"))) == record
    assert record.with_values(finished="2026-11-20T20:15:00Z").decisions == record.decisions
    with pytest.raises(ValidationError):
        record.with_values(device="cpu")
    with pytest.raises(ValidationError):
        record.with_values(devise=record.device)


def test_the_fingerprint_of_rows_is_that_of_their_bytes_in_order() -> None:
    rows = np.array([3, 1, 2], dtype=np.int32)
    expected = hashlib.sha256(np.array([3, 1, 2], dtype="<i8").tobytes()).hexdigest()
    assert row_fingerprint(rows).sha256 == expected
    assert row_fingerprint(rows).rows == 3
    assert row_fingerprint(np.sort(rows)).sha256 != expected


def test_a_command_that_is_no_utf8_can_be_recorded(tmp_path: Path) -> None:
    record = start_record([os.fsdecode(b"caf\xe9.yaml")], tmp_path)
    assert record.command == ("caf\\xe9.yaml",)
    assert Record.model_validate_json(record.model_dump_json()) == record


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from mltrain.run.record import start_record; "
        "import mltrain.run.rundir; start_record([], Path('.')); "
        "print({'tensorflow', 'keras', 'numpy', 'pyarrow', 'sklearn'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    assert done.stdout == "set()\n"


@needs_git
def test_commit_and_changes_are_seen(repository: Path) -> None:
    (repository / "sub").mkdir()
    state = git_state(repository / "sub")
    assert state is not None
    assert state.commit == git(repository, "rev-parse", "HEAD")
    assert state.dirty is False
    (repository / "untracked").write_text("")
    assert git_state(repository) == state
    (repository / "config.yaml").write_text("version: 2\n")
    changed = git_state(repository)
    assert changed is not None
    assert changed.dirty is True


@needs_git
def test_a_git_hook_around_us_does_not_mislead(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    state = git_state(repository)
    assert state is not None
    assert state.dirty is False


@needs_git
@pytest.mark.parametrize(
    "setting",
    ["filter.evil.clean", "core.fsmonitor", "include.path", "remote.evil.promisor", "extensions.partialclone"],
)
def test_a_repository_from_a_stranger_runs_nothing(repository: Path, setting: str) -> None:
    canary = repository.parent / "canary"
    program = repository / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch '{canary}'\ncat\n")
    program.chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=evil\n")
    (repository / ".git" / "evil").write_text(f"[filter \"evil\"]\n\tclean = '{program}'\n")
    hook = repository / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(program.read_text())
    hook.chmod(0o755)
    git(
        repository,
        "config",
        setting,
        {"include.path": "evil", "remote.evil.promisor": "true"}.get(setting, str(program)),
    )
    os.utime(repository / "config.yaml", (1, 1))
    state = git_state(repository)
    assert not canary.exists()
    assert setting == "extensions.partialclone" or state is not None


def test_outside_of_a_repository_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_state(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tmp_path) is None
