"""Where the first weights of a model or of its backbone are from, as the config says it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import core_schema

from mltrain.spec import InputPath, Spec, fail, problem, suggest

_ENDINGS = (".h5", ".hdf5")


class FirstWeights(Spec):
    """Weights that were learned before, with which a training begins: of a file, or of a run. Only a training reads
    them, before its first step."""

    file: InputPath | None = None
    """A `.weights.h5` file of Keras 3, or an `.h5` file of Keras 2 or 3 with weights or a whole model. Only its arrays
    are read."""
    run: Annotated[str, Field(min_length=1)] | None = None
    """A run of mltrain: its path, `NAME/latest`, or the beginning of its id."""

    @model_validator(mode="after")
    def _one_of_both(self) -> FirstWeights:
        if (self.file is None) == (self.run is None):
            raise fail("weights", [problem("source", "expected either `file: name.h5` or `run: RUN`")])
        if self.file is not None and self.file.suffix.lower() not in _ENDINGS:
            advice = ""
            if self.file.suffix.lower() == ".keras":
                advice = "; a .keras file can run code when it is opened: save the weights of its model alone"
            message = f"expected a file whose name ends in .weights.h5 or .h5, received {self.file.name!r}{advice}"
            raise fail("weights", [problem("file", message, ("file",), str(self.file))])
        return self


class _BackboneWeights:
    """Checks `imagenet`, `none`, or where they are: a union of them would say what is wrong once for each."""

    @staticmethod
    def check(value: Any, info: core_schema.ValidationInfo) -> Any:
        if isinstance(value, FirstWeights) or value in ("imagenet", "none"):
            return value
        if isinstance(value, dict):
            return FirstWeights.model_validate(value, context=info.context)
        expected = "expected imagenet, none, {file: name.h5} or {run: RUN}"
        if value is None:
            raise fail("weights", [problem("weights", f"{expected}; nothing is written here, which is not `none`")])
        if isinstance(value, str) and value.endswith((*_ENDINGS, ".keras")):
            raise fail("weights", [problem("weights", f"{expected}; write {{file: {value}}}")])
        near = suggest(value, ("imagenet", "none")) if isinstance(value, str) else ""
        raise fail("weights", [problem("weights", f"{expected}, received {value!r}{near}")])

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self.check, metadata={"of": handler(FirstWeights)})

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"enum": ["imagenet", "none"]}, handler(schema["metadata"]["of"])]}


BackboneWeights = Annotated[Literal["imagenet", "none"] | FirstWeights, _BackboneWeights()]
