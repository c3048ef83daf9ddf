"""Texts that are hard to split into the same tokens twice."""

from __future__ import annotations

import random

# Folds to several letters, marks in one character and in two, signs that cannot be seen, and scripts without spaces.
PIECES = (
    *"abcABC éÉßẞİıΣσςſ",
    *" .,!?'-_$\n\t\r\0\x0b\x85\u00a0\u2028\u2029\u200b",
    *"\u200c\u200d\u2060\ufeff\u202e\u202a\u00ad\u034f\ufe0f",
    *"\u0301\u0307\u0345\u0323\u064b\u094d\u3099\u20e3",
    *"漢字豈かがカーไทยຂကខ한글\u1112\u1161\u11ab",
    *"👍🏽❤👩\U0001f1e6①½²٣Яعकिᾳΐ\u1026↚",
    *"\U00020000\ue000\U000e0041\U0010ffff\ufffd\u0378",
)
SPECIAL = ["", " ", "\n", "\0", "a\0", "[UNK]", "[MASK]", "<pad>", "</s>", "hello world", "#REF!", "=1+1"]


def hostile_texts(count: int, seed: int) -> list[str]:
    """Return random texts of up to 40 such pieces, of any two characters, and texts that look like special tokens."""
    draw = random.Random(seed)
    texts = ["".join(draw.choice(PIECES) for _ in range(draw.randrange(40))) for _ in range(count)]
    codes = [code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
    texts += [
        "".join(chr(draw.choice(codes[: draw.choice([0x500, 0x20000, 0x110000])])) for _ in range(20)) for _ in texts
    ]
    return [*texts, *SPECIAL]
