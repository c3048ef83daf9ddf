"""What a user reads is plain English: no phrase of `tests/plain_english.py` in messages, help, docs and configs.

`python -m tests.test_plain_english mltrain/data README.md` prints what is refused in files or folders."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.plain_english import REPOSITORY, offenders


def files(place):
    """Return the files below a place whose words a user sees."""
    if place.is_file():
        return [place]
    endings = (".py", ".md", ".yaml")
    return sorted(path for path in place.rglob("*") if path.suffix in endings and path not in GENERATED)


# The reference: its words are those of the specs.
GENERATED = {REPOSITORY / "docs" / "configuration.md"}
PLACES = ["mltrain", "docs", "configs", "README.md", "SECURITY.md", "CONTRIBUTING.md", "benchmarks/README.md"]
FILES = [path for place in PLACES for path in files(REPOSITORY / place)]


def name(path):
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_words_are_plain(path):
    found = offenders(path)
    assert not found, "\n" + "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("text", "line", "phrase"),
    [
        ('raise ValueError(f"{name!r} is no split")', 1, "is no split"),
        ('fail("the rows are no " f"{kind} at all")', 1, "are no {"),
        ('help = "one row an epoch"', 1, "one row an epoch"),
        ('class A:\n    name: str\n    """A text that shall be there."""', 3, "shall"),
        ('class A:\n    """Such texts are truth\n    values."""', 2, "truth values"),
        ('say("a list, as `[1, 2]`")', 1, ", as `"),
        ('say("training goes on")', 1, "goes on"),
    ],
)
def test_a_phrase_is_found_in_a_module(tmp_path, text, line, phrase):
    path = tmp_path / "module.py"
    path.write_text(
        f'"""What stands here is for developers."""\n\n\ndef say():\n    """Is no word for users."""\n\n\n{text}\n'
    )
    (found,) = offenders(path)
    assert (found.phrase, found.line) == (phrase, line + 7)


@pytest.mark.parametrize("name", ["page.md", "config.yaml"])
def test_a_phrase_is_found_over_a_line_break(tmp_path, name):
    path = tmp_path / name
    path.write_text(
        "# Training goes\n# on. There is no split, and there is no longer one.\n".replace("# ", "# " * (name[0] == "c"))
    )
    (found,) = offenders(path)
    assert (found.phrase, found.line) == ("goes on", 1)


def main(places):
    found = [each for place in places for path in files(Path(place)) for each in offenders(path)]
    sys.stdout.writelines(f"{each}\n" for each in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [str(REPOSITORY / place) for place in PLACES]))
