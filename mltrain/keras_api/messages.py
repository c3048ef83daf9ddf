"""The gist of what Keras says when it refuses something."""

from __future__ import annotations

import re


def reason(error: Exception) -> str:
    """Return the sentence that matters in an exception of Keras, in one line.

    Keras wraps it: "Exception encountered when calling Sequential.call()." comes first, then the reason in bold, then
    the arguments of the call.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    told = [paragraph for paragraph in paragraphs if paragraph and not paragraph.startswith("Exception encountered")]
    if len(told) > 1 and told[0].endswith("Error encountered:"):  # in a trace of the shapes; the error itself is below
        return told[1]
    return told[0] if told else type(error).__name__
