"""What libyaml's syntax errors mean to somebody who writes a config."""

from __future__ import annotations

import yaml

# libyaml's words, and ours. It reports what its grammar needs next, not what is likely to be wrong.
_MEANINGS = {
    "mapping values are not allowed in this context": (
        "unexpected ':' (a wrong indentation, or a text with a colon in it that needs quotes)"
    ),
    "block sequence entries are not allowed in this context": "a list cannot begin here; put '-' on a line of its own",
    "block mapping entries are not allowed in this context": "a key cannot begin here; put it on a line of its own",
    "found a tab character where an indentation space is expected": "a tab cannot indent YAML; use spaces",
    "could not find expected ':'": "expected ':' and a value after this key",
    "did not find expected key": "expected a key here (a wrong indentation, a missing ':' or a missing quote)",
    "did not find expected '-' indicator": "expected '-', as this is inside a list (or a wrong indentation)",
    "did not find expected ',' or ']'": "expected ',' or ']' in the list that begins with '['",
    "did not find expected ',' or '}'": "expected ',' or '}' in the mapping that begins with '{'",
    "did not find expected node content": "expected a value here",
    "did not find expected <document start>": "expected nothing more here (a wrong indentation, or a missing key)",
    "found unknown escape character": "unknown escape in double quotes; double the backslash, or use single quotes",
    "found invalid Unicode character escape code": "this escape is not a character",
    "found undefined tag handle": "tags are not allowed; a config holds plain values only",
    # libyaml reads ahead in a line of brackets, so that its own limit may be met before that of `yaml_document`.
    "exceeded maximum nesting depth": "nested more than 32 deep",
    "found incompatible YAML document": "expected %YAML 1.2, or no such line",
}
_NEVER_CLOSED = {
    "while scanning a quoted scalar": "the quote that begins here is never closed",
    "while parsing a flow sequence": "the '[' here is never closed",
    "while parsing a flow mapping": "the '{' here is never closed",
}


def explain(error: yaml.MarkedYAMLError, lines: tuple[str, ...]) -> tuple[str, yaml.Mark]:
    """Return a message and the mark (`line` and `column` from 0) that it is about."""
    mark = error.problem_mark or yaml.Mark("", 0, 0, 0, None, 0)
    problem = error.problem or ""
    at_the_end = mark.line >= len(lines) or (mark.line == len(lines) - 1 and mark.column >= len(lines[-1]))
    if at_the_end and error.context in _NEVER_CLOSED and error.context_mark:
        return _NEVER_CLOSED[error.context], error.context_mark
    if problem == "found character that cannot start any token":
        character = lines[mark.line][mark.column]
        if character == "\t":
            return _MEANINGS["found a tab character where an indentation space is expected"], mark
        return f"a text cannot begin with {character!r}; put it in quotes", mark
    return _MEANINGS.get(problem, f"not valid YAML: {problem}"), mark
