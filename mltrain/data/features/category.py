"""A column of categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mltrain.data.column_settings import Scale
from mltrain.data.features.feature_spec import FeatureSpec
from mltrain.spec import Many, fail, problem

if TYPE_CHECKING:
    from mltrain.data.encoders.column import Fitted, RawColumn


def _category_name(value: Any) -> Any:
    """Return the text of a category that YAML reads as a whole number: `order: [1, 2, 3]`."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # as a column of 1.0 and 2.0 names its categories
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


CategoryName = Annotated[str, BeforeValidator(_category_name, json_schema_input_type=str | int)]


class CategoryFeature(FeatureSpec):
    """One of several texts, such as `Biscoe` or `Dream`. Numbers are names here: 7 and 8 differ as much as 7 and 700.
    Whole numbers are one category as `3` and as `3.0`."""

    type: Literal["category"] = "category"
    encoding: Literal["one_hot", "embedding", "index", "ordinal"] | None = None
    """`one_hot`: one 0/1 column per category; `embedding`: an input of its own, and the models `mlp` and `fusion`
    learn a vector for each category; `index`: one column of 1, 2, 3, … for an Embedding layer, 0 for unknown;
    `ordinal`: one number column by `order`. null is `one_hot`, and `ordinal` where an order is given."""
    width: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    """The length of the vectors of an `embedding`; auto takes 1.6 × categories^0.56, at most 50."""
    order: Many[CategoryName] = ()
    """The categories from lowest to highest, for `ordinal`: `[low, medium, high]` become 0, 1, 2."""
    scale: Scale | None = None
    """How ordinal numbers are scaled; null takes `data.scale`."""
    unknown: Literal["ignore", "error"] = "ignore"
    """A category that training rows do not have: `ignore` encodes it as none of the known ones (ordinal: as missing)
    and counts it."""
    missing: Literal["category", "error"] = "category"
    """A missing value: `category` makes it a category of its own if training rows have missing values, else none of
    them."""
    max_categories: Annotated[int, Field(ge=1)] = 1000
    """More categories than this in the training rows are an error: such a column is usually an identifier."""

    @model_validator(mode="after")
    def _order_fits(self) -> CategoryFeature:
        if self.encoding == "ordinal" and not self.order:
            message = "an ordinal encoding needs the order: the categories from lowest to highest"
            raise fail("category", [problem("order", message, ("encoding",), self.encoding)])
        if self.order and self.encoding not in (None, "ordinal"):
            message = f"an order has no meaning in the encoding {self.encoding!r} (remove it, or choose 'ordinal')"
            raise fail("category", [problem("order", message, ("order",), list(self.order))])
        if self.width != "auto" and self.encoding != "embedding":
            message = "only an embedding has vectors (set encoding: embedding, or remove width)"
            raise fail("category", [problem("width", message, ("width",), self.width)])
        twice = next((name for name in self.order if self.order.count(name) > 1), None)
        if twice is not None:
            raise fail("category", [problem("order", f"{twice!r} is listed twice in the order", ("order",), twice)])
        if self.scale is not None and not self.order:
            message = "only ordinal categories are scaled (give their `order`, or remove `scale`)"
            raise fail("category", [problem("scale", message, ("scale",), self.scale)])
        return self

    def fit(self, column: RawColumn, scale: Scale) -> Fitted:
        """Return the encoder fitted on a column of the training rows; `scale` is `data.scale`."""
        # Here and not at the top: a spec must be checked without paying for NumPy and pyarrow.
        from mltrain.data.encoders.category import fit_category
        from mltrain.data.encoders.ordinal import fit_ordinal

        if self.order:
            return fit_ordinal(column, self.order, self.scale or scale, self.unknown, self.missing)
        encoding = self.encoding or "one_hot"
        return fit_category(column, encoding, self.unknown, self.missing, self.max_categories, self.width)
