"""Numbers for people."""

from __future__ import annotations

import math


def number(value: float | None) -> str:
    """Return a number with about four digits that matter: `0.9737`, `31.42`, `1,593,120`, `3.2e-05`; `–` for none."""
    if value is None:
        return "–"
    size = abs(value)
    if not math.isfinite(size) or 0 < size < 1e-3 or size >= 1e9:
        return f"{value:.3g}"
    if size < 10:
        return f"{value:.4f}"
    return f"{value:,.2f}" if size < 1e4 else f"{value:,.0f}"


def value_range(low: float | None, high: float | None) -> str:
    """Return the ends of a range with digits enough to see how far they are apart: `0.29998 … 0.30004`; of one value
    `only value 0.3`."""
    if low is None or high is None:
        return "–"
    if low == high:
        return f"only value {low:.17g}" if float(f"{low:.15g}") != low else f"only value {low:.15g}"
    size = max(abs(low), abs(high))
    plain = 1e-3 <= size < 1e9 and max(-math.floor(math.log10(high - low)), 0) <= 2
    if plain:
        return f"{number(low)} … {number(high)}"
    digits = min(17, max(4, math.ceil(math.log10(size) - math.log10(high - low)) + 3))
    return f"{low:.{digits}g} … {high:.{digits}g}"


def interval(low: float | None, high: float | None) -> str:
    """Return an interval with one digit less than its value has: `[0.925, 0.995]`, `[29.1, 33.8]`; empty for none."""
    if low is None or high is None:
        return ""

    def end(value: float) -> str:
        size = abs(value)
        if not math.isfinite(size) or 0 < size < 1e-3 or size >= 1e9:
            return f"{value:.2g}"
        return f"{value:.3f}" if size < 10 else f"{value:,.1f}" if size < 1e4 else f"{value:,.0f}"

    return f"[{end(low)}, {end(high)}]"


def duration(seconds: float) -> str:
    """Return a time span with the two largest units: `21 ms`, `4.1 s`, `2 min 5 s`, `3 h 12 min`."""
    if seconds < 9.95:
        return f"{seconds * 1000:.0f} ms" if seconds < 0.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def as_sentence(text: str) -> str:
    """Return a finding as a sentence: with a capital, and a full stop where it has none."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
