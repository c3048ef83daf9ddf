"""A column that is not used."""

from __future__ import annotations

from typing import Literal

from mltrain.spec import Spec


class IgnoreFeature(Spec):
    """A column that is not used and not read, such as an identifier, a remark or a column that contains the answer."""

    type: Literal["ignore"] = "ignore"
