"""Reads the words that a user sees, in modules, pages and configs, and finds phrases that are not plain English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent

_NOUNS = (
    "epoch|class|row|column|step|file|line|target|fold|split|batch|second|minute|series|window|metric|model|run|layer|label"
    "|process|word|command|kind|format|number|value|input|output|image|folder|key|group|unit|feature|message|channel"
    "|gate|case|category|part|hour|day|minute|thread|core|checkpoint|page|object|dimension"
)
_SMALL = (
    "of|in|for|as|with|from|to|is|was|has|had|than|and|or|on|at|by|into|per|not|that|like|if|but|under|over|without|beside"
    "|between|after|before|makes|gives|names|means|fits|needs|takes|be|holds|shows|adds|trains|lacks|alone|only|used"
)

# A pattern (a blank matches white space within a paragraph) and what to write instead.
PHRASES = {
    r"no finite number": "NaN or infinite",
    r"(?<!there\s)(?<!that\s)\b(is|are|was|were|be) no (?!longer\b|more\b)[\w`'{]+": "is not a ..., are not ...",
    r"(?<!there\s)\b(is|are) (?-i:none|nothing)\b(?! of| is| but)": "is not ..., does not exist",
    r"\bshall\b": "must, will, should",
    r"\bstands? twice\b": "is listed twice",
    r"\b(?<!it\s)stands (?!for\b|out\b)": "is, appears",
    r"\bstand (in|at|on|twice|beside|there|by|here|under|before|after|with)\b": "are, appear",
    r", as (?!`[^`]+` (says|does|reads|defines)\b)(`|'|\"|(for|of|by|when|where)\b|\w+[.=\[]\w)": "such as",
    r"\b(goes|go|going|gone|went) on\b": "continue, resume",
    r"\bso many\b": "this many, or the number",
    r"\bas many\b(?! \w+( \w+)? as\b| as\b)": "the same number of",
    r"\b(held|holds?) (\S+ ){0,4}against\b": "compare ... with",
    r"\bhangs? (on|together)\b": "depend on, are related",
    r"\b(told|tells?) (\S+ )?(from|apart)\b": "distinguish",
    r"\btells? (the target|the answer|the class)\b": "predict the target",
    r"\b(is|are|was|were|be|been) (said|told)\b": "is reported, is printed",
    r"\bsay (auto|cpu|gpu|none|all)\b": "set ... to ...",
    rf"\b(one|two|a|an|\d+|\{{\}}) (?!({_SMALL})\b)[\w`]+ an? ({_NOUNS})\b(?! of)": "one row per epoch",
    r"\bforetold\b": "predicted",
    r"\b(each|every one|all|one|measured) (for|by) (it|them)sel(f|ves)\b": "independent, separately",
    r"\bfor itself\b": "independent, separately",
    r"\b(is|are|was) there (already|and)\b": "already exists",
    r"\b(is|are|was) not there\b": "does not exist, is missing",
    r"\b(is|are|has|have|was) in no \w+": "is not in any ...",
    r"\b(has|have) not the\b": "do not have the ...",
    r"(rows|groups|\w\}s|\}s) enough\b": "enough rows",
    r"\bby heart\b": "memorise",
    r"\bcommonest\b": "most frequent",
    r"\bmend(s|ed|ing)?\b": "correct, repair, solve",
    r"\b(so|thus) it is with\b|\bnothing else is said\b": "say it literally",
    r"\btruth(-| )values?\b": "booleans",
    r"\banew\b": "again",
    r"\b(take|takes|took|taken|taking) (\S+ )?up\b": "resume",
    r"\bwho(so)?ever\b": "anyone who, if you",
    r"\b(let|lets|letting) (\S+ )?go\b": "free",
    r"\ball the same\b": "anyway",
    r"\bas far as \S+ rows tell\b": "no significant difference",
    r"\bin silence\b": "silently",
    r"\b(chooses?|decides?|hears?|proves?) (nothing|of nothing)\b": "say it literally, e.g. are never used to choose",
    r"\bhas the last word\b|\bthe last word\b": "decides, the final result",
    r"(?:^|[.;] )Of (?!course)\w+": "begin with the subject, not with 'Of ...'",
    r": (it|them)\.": "write a whole sentence",
    r"\b(lest|albeit|wherein|whereof|thereof|hence|thus|naught|nought|whence|whither|wherefore)\b": "a common word",
    r"\b(dealt|deal) out\b": "shuffled, distributed",
    r"\bat its (begin|end) (is|stands)\b": "begins with, ends with",
    r"\bspoils?\b": "makes ... unreliable",
    r"\bwith the key to turn\b": "with the setting to change",
    r"\bthe very (\w+)\b": "the same",
    r"\bas yet\b": "so far",
    r"\bnot? \w+ any more\b": "no longer",
    r"\bhas to do with\b": "is related to",
    r"\bby halves\b|\bof old\b|\bto and fro\b": "say it literally",
}
_WHITE = r"(?:[^\S\n]+|[^\S\n]*\n[^\S\n]*)"
_COMPILED = [
    (re.compile(pattern.replace(" ", _WHITE), 0 if "Of " in pattern else re.IGNORECASE), instead)
    for pattern, instead in PHRASES.items()
]


@dataclass(frozen=True)
class Words:
    """A text that a user can see. `{}` is a value that is put into it; a line break is one of the file."""

    line: int
    text: str


@dataclass(frozen=True)
class Offender:
    path: Path
    line: int
    phrase: str
    around: str
    instead: str

    def __str__(self) -> str:
        place = self.path.resolve()
        place = place.relative_to(REPOSITORY) if place.is_relative_to(REPOSITORY) else place
        return f"{place}:{self.line}: '{self.phrase}' in '{self.around}'; write: {self.instead}"


def words_of(path: Path) -> Iterator[Words]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from sorted(_words_of_module(ast.parse(text), in_cli="cli" in path.parts), key=lambda words: words.line)
    elif path.suffix in (".yaml", ".yml"):
        yield Words(1, re.sub(r"(?<=\n) *#", lambda mark: " " * len(mark.group()), text))
    else:
        yield Words(1, text)


def offenders(path: Path) -> list[Offender]:
    found = []
    for words in words_of(path):
        for pattern, instead in _COMPILED:
            for match in pattern.finditer(words.text):
                around = " ".join(words.text[max(0, match.start() - 40) : match.end() + 40].split())
                line = words.line + words.text.count("\n", 0, match.start())
                found.append(Offender(path, line, " ".join(match.group().split()), around, instead))
    return sorted(found, key=lambda each: each.line)


def _words_of_module(tree: ast.Module, *, in_cli: bool) -> Iterator[Words]:
    """Yield all texts of a module except docstrings for developers: those of modules, of functions other than commands,
    and of classes whose attributes they describe."""
    unseen, inside = {id(_docstring(tree))}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            docstring = _docstring(node)
            of_command = isinstance(node, ast.FunctionDef) and in_cli and not node.name.startswith("_")
            for_developers = not of_command and not isinstance(node, ast.ClassDef)
            if docstring and (for_developers or {"Args:", "Attributes:", "Raises:"} & set(docstring.value.split())):
                unseen.add(id(docstring))
        elif isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
            yield Words(node.lineno, "".join(_part(part) for part in node.values))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside | unseen:
            yield Words(node.lineno, node.value)


def _part(part: ast.expr) -> str:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "{}"


def _docstring(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.Constant | None:
    first = node.body[0] if node.body else None
    found = first.value if isinstance(first, ast.Expr) else None
    return found if isinstance(found, ast.Constant) and isinstance(found.value, str) else None
