"""What a docstring says of a component and of its arguments, in a sentence each."""

from __future__ import annotations

import inspect
import re

_SENTENCE_END = (
    r"(?<=\.)(?<!i\.e\.)(?<!e\.g\.)(?<!\beg\.)(?<!\bie\.)(?<!\betc\.)(?<!a\.k\.a\.)(?<!\bal\.)\s+(?=[A-Z(`*\[-])"
)
_TYPE_PREFIX = re.compile(
    r"^(?:- )?(?:an? )?(?:if )?(?:python )?(?:int|integer|float|string|boolean|bool|tuple|list)"
    r"(?:(?: or)? (?:a )?tuple(?:/list)? of \d integers?)?[,:] ",
    re.IGNORECASE,
)
# A sentence of these alone says only what the type is.
_TYPE_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a actual an and arguments between bool boolean booleans by callable constant default defaults dictionary e eg
        false float floats floating for hyperparameter in instance int integer integers ints is keras
        learningrateschedule length list must no none number numbers of optimizers optional or point positive python
        range returns scalar schedules single size string strings takes tensor that the to true tuple tuples two use
        value""",
    )
)


def documented_arguments(docstring: str) -> dict[str, str]:
    """Return the first sentence on each argument in a docstring's Args section."""
    # Some docstrings hold code at the margin, which hides their indentation from inspect.cleandoc.
    section = re.search(r"^( *)(?:Args|Arguments):\n((?:\1 +.*\n|\s*\n)+)", docstring + "\n", re.MULTILINE)
    if section is None:
        return {}
    lines = inspect.cleandoc("\n" + section[2])
    found = re.findall(r"^`?(\w+)`?\s*:\s+(.*?)(?=^\S|\Z)", lines, re.MULTILINE | re.DOTALL)
    return {name: first_sentence(text) for name, text in found}


def first_sentence(text: str) -> str:
    """Return the first sentence that says more than a type, which the catalogue states by itself."""
    text = " ".join(text.strip().split("\n\n")[0].split()).replace("``", "`")
    sentences = [each.strip() for each in re.split(_SENTENCE_END, text) if each.strip()] or [""]
    telling = next((each for each in sentences if set(re.findall(r"[a-z]+", each.lower())) - _TYPE_WORDS), sentences[0])
    telling = re.sub(r"^\(?optional\)?[.,:]?\s+", "", telling, flags=re.IGNORECASE)
    telling = re.sub(_TYPE_PREFIX, "", telling)
    return telling[:1].upper() + telling[1:].rstrip(".") + "." if telling else ""
