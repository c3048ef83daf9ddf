"""Numbers with their nouns: "1 row", never "1 rows"."""

import ast
import re

import pytest

from mltrain.wording import counted, free_name, in_words, listed_shortly
from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [
        (0, "row", "0 rows"),
        (1, "row", "1 row"),
        (2, "class", "2 classes"),
        (1, "class", "1 class"),
        (3, "category", "3 categories"),
        (3, "day", "3 days"),
        (8, "epoch", "8 epochs"),
        (8, "more epoch", "8 more epochs"),
        (2, "batch", "2 batches"),
        (12345, "row", "12,345 rows"),
    ],
)
def test_a_number_has_its_noun_in_the_right_form(count, noun, said):
    assert counted(count, noun) == said


# An ending that depends on a number, written by hand: `{'' if n == 1 else 's'}`.
BY_HAND = [
    path for folder in ("data", "procedures", "run") for path in sorted((REPOSITORY / "mltrain" / folder).rglob("*.py"))
]


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: str(path.relative_to(REPOSITORY / "mltrain")))
def test_no_plural_is_made_by_hand(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for part in node.values:
                if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.IfExp):
                    ends = {
                        each.value for each in (part.value.body, part.value.orelse) if isinstance(each, ast.Constant)
                    }
                    assert ends != {"", "s"}, f"{path.name}:{node.lineno}: use mltrain.wording.counted"


def test_messages_of_one_row_or_epoch(mltrain, config):
    path = config(epochs="  epochs: 1")
    done = mltrain("train", path, "--run-dir", "run")
    assert done.code == 0, done.err
    assert not re.search(r"\b1 (rows|epochs|columns|classes|steps|folds|runs|files)\b", done.err + done.out), done.err


def test_names_in_words():
    assert [in_words(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_a_name_that_is_free():
    assert free_name("head", ()) == "head"
    assert free_name("head", {"head", "head_"}) == "head__"


def test_many_sentences_are_listed_shortly():
    assert listed_shortly(["a", "b"]) == "a, b"
    assert listed_shortly(list("abcdefg")) == "a, b, c, d, e, and 2 more"
