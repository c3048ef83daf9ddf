"""Student's t for few values: of three there are 2 degrees of freedom. No NumPy here.

`interval_forms.student_t`, made for rows, is not close enough there.
"""

from __future__ import annotations

import math

CONFIDENCE = 0.95


def t_quantile(freedom: int) -> float:
    """Return the number within which Student's t lies, on both sides of 0, with 95 % probability."""
    low, high = 1.0, 16.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < CONFIDENCE else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    """Return the probability that Student's t lies between -t and t (Abramowitz and Stegun, 1964, 26.7.3 and .4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term = cosine if odd else 1.0
    series = term if freedom > 1 else 0.0
    for power in range(2 + odd, freedom, 2):
        term *= (power - 1) / power * cosine**2
        series += term
    return 2 / math.pi * (angle + math.sin(angle) * series) if odd else math.sin(angle) * series
