"""The base of everything that a YAML file can say.

A spec *describes*: it is frozen, strict about types, refuses unknown keys and NaN, and never asks which machine it is
on. The string under a field is its documentation; `mltrain schema`, `mltrain list` and the reference page are made
from it.

A **component** is a spec with a `type`. `OneOf` lists the alternatives for one place in the YAML; that list is
registration, validation, error text, JSON Schema and `mltrain list` in one. Two edits add a component: its file, and
its name in the list.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, Strict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

T = TypeVar("T")

# A YAML list. Strict mode would refuse a list where a (frozen) tuple is declared; its items stay strict.
Many = Annotated[tuple[T, ...], Strict(False)]


class Spec(BaseModel):
    """A frozen description. Subclasses document each field with the string under it."""

    # The type of a component that a key of it means, as in `--set training.optimizer.learning_rate=0.1`, for fields
    # whose default is null because another section decides.
    opened_as: ClassVar[Mapping[str, str]] = {}

    # defer_build: of the dozens of specs that are imported, a config uses few, and half the time goes into validators.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    def as_written(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Return `plain`, what the fields say, without what a config that is read again must not state."""
        return plain


def keys_of(spec: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a spec by the keys that are written: `from_` is a Python name for `from`."""
    return {field.alias or name: field for name, field in spec.model_fields.items()}


class FromText:
    """A value that is written as one text: a subclass reads it in `parse` and writes it in `__str__`.

    It can be the type of a field: a text is read when the YAML is validated, and `as_plain` returns the text again.
    """

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text.

        Raises:
            ValueError: it has another form; says which is expected.
        """
        raise NotImplementedError

    def plain(self) -> str:
        """Return the text, in its one spelling."""
        return str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        read = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema(strict=True))
        return core_schema.no_info_wrap_validator_function(
            lambda value, from_text: value if isinstance(value, cls) else from_text(value),
            read,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )


def normalise(name: str) -> str:
    """Return `name` without case, underscores, dashes and spaces: `EarlyStopping` and `early_stopping` are one name."""
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def suggest(wrong: str, known: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the known name nearest to `wrong`, or an empty string when none is near.

    A name that `wrong` begins, as `acc` begins `accuracy`, is nearest; the first letter is the one that is hardly ever
    mistyped, and counts more.
    """
    by_normal_form = {normalise(name): name for name in known}
    wrong = normalise(wrong)

    def likeness(name: str) -> float:
        if len(wrong) > 2 and name.startswith(wrong):
            return 2 - len(name) / 1000
        matcher = difflib.SequenceMatcher(None, name, wrong)
        # The quick ones are upper bounds: most names are not worth the exact one.
        if min(matcher.real_quick_ratio(), matcher.quick_ratio()) < 0.6 or matcher.ratio() < 0.6:
            return 0
        return matcher.ratio() + 0.1 * (name[:1] == wrong[:1])

    # Of names that are equally near the last one, as of two runs the later: the order of a set must not decide.
    nearest = max(by_normal_form, key=lambda name: (likeness(name), name), default=None)
    return f" (did you mean '{by_normal_form[nearest]}'?)" if nearest is not None and likeness(nearest) else ""


def with_article(noun: str) -> str:
    """Return `noun` with its article: "a layer", "an optimizer"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def problem(kind: str, message: str, loc: Sequence[str | int] = (), value: Any = None) -> InitErrorDetails:
    """Return one validation problem for `fail`.

    Args:
        kind: a word for programs, as `unknown_type`.
        message: the text for people.
        loc: where, below the component that is being checked.
        value: what was received there.
    """
    # Braces in a PydanticCustomError template are placeholders, and a message may quote any text of the user's.
    error = PydanticCustomError(kind, "{message}", {"message": message})
    return InitErrorDetails(type=error, loc=tuple(loc), input=value)


def fail(title: str, problems: Sequence[InitErrorDetails]) -> ValidationError:
    """Return the error that carries all of `problems`; raised inside a validator, pydantic keeps each one's place."""
    return ValidationError.from_exception_data(title, list(problems))


class Alternatives(Protocol):
    """Components that have no spec class of their own, as the layers and optimizers of Keras."""

    def names(self) -> list[str]:
        """Return the canonical name of every alternative."""

    def find(self, name: str) -> str | None:
        """Return the canonical name that `name` means in any spelling, or None."""

    def check(self, name: str, arguments: Mapping[str, Any], context: Any) -> Any:
        """Return the frozen component, or raise the ValidationError of `fail` with every problem in `arguments`."""

    def is_component(self, value: Any) -> bool:
        """Return whether `value` is a component that `check` returned."""

    def json_schema(self) -> dict[str, Any] | None:
        """Return the JSON Schema of all alternatives; None where there are none at present."""


class OneOf:
    """A pydantic annotation: exactly one of several components, chosen by `type`.

    `Annotated[CsvSource | NpzSource, OneOf("source", CsvSource, NpzSource)]` accepts a mapping with a `type` in any
    spelling, the bare name where a component needs no argument (`optimizer: adam`), or a component that is made
    already.

    Args:
        kind: what the alternatives are, as it is said in messages: "source", "layer".
        specs: the spec classes, each with a literal `type`.
        more: alternatives without a class of their own; or what returns those of a validation context.
        aliases: other names for a spec, by normal form.
        hint: what a user may have meant whose name is unknown.
        why_not: returns why there is no component of a name, in its normal form, that users will try; else "".
    """

    def __init__(
        self,
        kind: str,
        *specs: type[Spec],
        more: Alternatives | Callable[[Any], Alternatives] | None = None,
        aliases: Mapping[str, str] | None = None,
        hint: str = "",
        why_not: Callable[[str], str] = lambda normal_form: "",
    ) -> None:
        self.kind = kind
        self._why_not = why_not
        self._hint = f"; {hint}" if hint else ""
        self.specs: dict[str, type[Spec]] = {str(spec.model_fields["type"].default): spec for spec in specs}
        self.more = more
        self._by_normal_form = {normalise(name): name for name in self.specs}
        self._by_normal_form.update(aliases or {})

    def names(self, context: Any = None) -> list[str]:
        """Return the canonical name of every alternative in a validation context, our own first."""
        more = self._others(context)
        others = more.names() if more else []
        return [*self.specs, *(name for name in others if name not in self.specs)]

    def _others(self, context: Any) -> Alternatives | None:
        return self.more(context) if callable(self.more) else self.more

    def check(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        """Return the component that `value` describes."""
        more = self._others(info.context)
        if isinstance(value, tuple(self.specs.values())) or (more and more.is_component(value)):
            return value
        if isinstance(value, str):
            value = {"type": value}
        if not isinstance(value, dict):
            raise fail(
                self.kind,
                [problem("component", f"expected {with_article(self.kind)} (a name, or a mapping with a 'type')")],
            )
        if "type" not in value:
            known = ", ".join(self.names(info.context)[:12])
            raise fail(self.kind, [problem("missing_type", f"this {self.kind} has no 'type' (known: {known}, …)")])
        name = value["type"]
        if not isinstance(name, str):
            raise fail(self.kind, [problem("type", f"expected the name of {with_article(self.kind)}", ("type",), name)])
        arguments = {key: item for key, item in value.items() if key != "type"}
        own = self._by_normal_form.get(normalise(name))
        if own is not None:
            return self.specs[own].model_validate({**arguments, "type": own}, context=info.context)
        other = more.find(name) if more else None
        if other is not None and more is not None:
            return more.check(other, arguments, info.context)
        raise fail(self.kind, [problem("unknown_type", self._unknown(name, info.context), ("type",), name)])

    def _unknown(self, name: str, context: Any) -> str:
        if reason := self._why_not(normalise(name)):
            return f"{name!r} {reason}"
        names = self.names(context)
        near = suggest(name, names)
        if near:
            return f"unknown {self.kind} {name!r}{near}"
        if len(names) > 12:
            return f"unknown {self.kind} {name!r} (`mltrain list {self.kind}` shows all {len(names)}){self._hint}"
        return f"unknown {self.kind} {name!r} (known: {', '.join(names)}){self._hint}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self.check, serialization=core_schema.plain_serializer_function_ser_schema(as_plain)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        alternatives = [handler(spec.__pydantic_core_schema__) for spec in self.specs.values()]
        bare = [
            name for name, spec in self.specs.items() if not any(f.is_required() for f in spec.model_fields.values())
        ]
        if bare:
            alternatives.insert(0, {"enum": bare})
        if callable(self.more):  # whoever makes the schema knows the context; pydantic alone adds nothing
            others = handler(core_schema.any_schema(metadata={"alternatives": self.more}))
        else:
            others = self.more.json_schema() if self.more else None
        if others:
            alternatives.append(others)
        return {"anyOf": alternatives}


def as_plain(value: Any) -> Any:
    """Return a spec, or anything inside one, as what YAML and JSON can hold, with every default filled in."""
    if hasattr(value, "plain"):
        return as_plain(value.plain())
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        plain = {field.alias or name: as_plain(getattr(value, name)) for name, field in fields}
        return value.as_written(plain) if isinstance(value, Spec) else plain
    if isinstance(value, Mapping):
        return {key: as_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


class FromWorkingDirectory(str):
    """A text that was given on the command line: as a path it is relative to the working directory, not to the YAML."""

    __slots__ = ()


class _ResolvedPath:
    """Makes a path absolute: relative to the YAML file, whose folder is the validation context's `directory`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.resolve)

    @staticmethod
    def resolve(value: Any, info: core_schema.ValidationInfo) -> Path:
        if isinstance(value, Path):
            return value.absolute()
        if not isinstance(value, str) or not value or "\0" in value:
            raise PydanticCustomError("path", "expected the path of a file")
        base = Path.cwd()
        if info.context and "directory" in info.context and not isinstance(value, FromWorkingDirectory):
            base = info.context["directory"]
        # Not resolve(): a link stays a link, so that what is recorded is what was written.
        try:
            return Path(base, Path(str(value)).expanduser())
        except RuntimeError:  # ~name, and nobody has that name
            raise PydanticCustomError("path", "expected the path of a file, but this user does not exist") from None

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "description": "A path, relative to the YAML file."}


InputPath = Annotated[Path, _ResolvedPath(), PlainSerializer(str)]
