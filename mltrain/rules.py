"""Rules that span several sections of the YAML, in a form that can be checked one by one.

A pydantic validator of the whole experiment would run only when every section is valid. A rule says which values it
needs; it is checked whenever those are valid, so that a typo elsewhere does not hide it until the next try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mltrain.spec import Spec


@dataclass(frozen=True)
class RuleProblem:
    """One thing that is wrong.

    Attributes:
        path: the keys and list indices that lead to the value, as `("training", "callbacks", 0, "monitor")`.
        message: what is wrong there and what was expected.
    """

    path: tuple[str | int, ...]
    message: str


@dataclass(frozen=True)
class Rule:
    """A check over a whole experiment.

    Attributes:
        needs: the values that the check reads, as `("data.split", "objective")`. When one of them is itself wrong, the
            rule is left out; everything else may hold stand-ins while it runs.
        check: takes the experiment and yields what is wrong.
    """

    needs: tuple[str, ...]
    check: Callable[[Any], Iterable[RuleProblem]]


@dataclass(frozen=True)
class Form:
    """What a YAML must be.

    Attributes:
        spec: the class of the whole.
        rules: what its sections must have in common.
    """

    spec: type[Spec]
    rules: tuple[Rule, ...] = ()
