"""Validation that finds everything at once: what is wrong is taken out, until the rest can be checked as a whole.

Pydantic runs a section's own validator only when its fields are valid, and a rule needs the experiment: without this,
what they find would come to light on the second try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from mltrain.config.expected import expected_at, specs_of
from mltrain.config.validation_problems import validation_problems
from mltrain.config.yaml_node import Node
from mltrain.problems import InvalidConfigError, KeyPath, Problem
from mltrain.rules import Form
from mltrain.spec import Spec

_MOST_ROUNDS = 20


def check(root: Node, problems: list[Problem], form: Form, context: Mapping[str, Any]) -> Spec:
    """Return the validated spec.

    Args:
        root: the YAML.
        problems: what is known to be wrong already.
        form: what the whole must be.
        context: of the validation: `directory`, to which paths in the YAML are relative, and `plugins`.

    Raises:
        InvalidConfigError: all problems, those given included.
    """
    problems = list(problems)
    wrong: set[KeyPath] = {problem.path for problem in problems if problem.path}
    spec, experiment = form.spec, None
    rest = root
    for _ in range(_MOST_ROUNDS):
        try:
            experiment = spec.model_validate(rest.plain(), context=context)
            break
        except ValidationError as error:
            found = validation_problems(error, rest, spec)
        except AttributeError:  # a validator read what a stand-in does not have
            if not problems:
                raise
            break
        problems += [problem for problem in found if not _touches(problem.path, wrong)]
        left: Node | None = rest
        for problem in found:
            left = _without(left, problem.path, spec, wrong) if left else None
        if left is None:
            break
        rest = left
    if experiment is not None:
        problems += _rule_problems(experiment, form, root, wrong)
    if problems or experiment is None:
        raise InvalidConfigError(problems)
    return experiment


def _touches(path: KeyPath, others: Iterable[KeyPath]) -> bool:
    """Return whether `path` lies inside or above one of the others."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in others)


def _without(root: Node, path: KeyPath, spec: type[Spec], wrong: set[KeyPath]) -> Node | None:
    """Return the tree without what is wrong at `path`, or None where nothing is left to take out.

    A value that is required and missing gets a stand-in: an instance of its spec without values. The rules that need it
    are left out, and everything beside it can be checked.
    """
    wrong.add(path)
    if not path:
        return None
    existing = root.existing(path)
    if existing == path:
        if isinstance(path[-1], int):  # taking out one item would move the others
            return _without(root, path[:-1], spec, wrong)
        return root.changed(path, None)
    if len(existing) < len(path) - 1:  # gone already, with something above it
        return root
    if not root.at(existing).is_scalar:
        for stand_in in specs_of(expected_at(spec, path, root.plain()), None):
            return root.changed(path, Node(stand_in.model_construct(), root.place))
    return _without(root, existing, spec, wrong)


def _rule_problems(experiment: Spec, form: Form, root: Node, wrong: set[KeyPath]) -> list[Problem]:
    problems = []
    for rule in form.rules:
        if any(_touches(tuple(need.split(".")), wrong) for need in rule.needs):
            continue
        try:
            found = tuple(rule.check(experiment))
        except AttributeError:  # it needs more than it says, and met a stand-in
            if not wrong:
                raise
            continue
        problems += [Problem(each.path, root.place_of(each.path), each.message) for each in found]
    return problems
