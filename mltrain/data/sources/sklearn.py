"""The data sets that come with scikit-learn: no file, no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from mltrain.spec import Spec, fail, problem

if TYPE_CHECKING:
    from mltrain.data.table import Table


class SklearnSource(Spec):
    """A data set that scikit-learn ships. The column to predict is `target`."""

    type: Literal["sklearn"] = "sklearn"
    name: Literal["iris", "wine", "breast_cancer", "digits", "diabetes"]
    """Which data set. iris, wine, breast_cancer and digits have classes; the target of diabetes is a number."""
    images: bool = False
    """Only for digits: one column `image` of shape (rows, 8, 8, 1), values 0 to 16, instead of 64 number columns."""

    @model_validator(mode="after")
    def _only_digits_are_images(self) -> SklearnSource:
        if self.images and self.name != "digits":
            raise fail(
                "sklearn", [problem("images", f"{self.name} has no images; only digits has images", ("images",), True)]
            )
        return self

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the data set; arguments and errors are those of `CsvSource.read`."""
        from mltrain.data.bundled import read_bundled  # pyarrow costs 50 ms at import

        return read_bundled(self.name, self.images)
