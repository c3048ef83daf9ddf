"""A column that is not used."""

from __future__ import annotations

from typing import Literal

from mltrain.spec import Spec


class IgnoreFeature(Spec):
    """Left out: an identifier, a leak of the target, a remark."""

    type: Literal["ignore"] = "ignore"
