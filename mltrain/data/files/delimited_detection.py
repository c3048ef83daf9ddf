"""How a delimited text seems to be written: its encoding, what separates its fields, where its rows begin.

Reading guesses nothing of this: it takes what the config states. `mltrain init` looks, and states it.
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mltrain.data.files.delimited_faults import Record, records
from mltrain.data.files.delimited_header import seem_to_be_values
from mltrain.data.files.opening import open_data_file
from mltrain.wording import free_name

_DELIMITERS = ",;\t|"
_BLOCK = 1 << 20
_SAMPLE = 200
# Where fewer of the rows have the same number of fields, they are separated by something else.
_ALIKE = 0.9
# After UTF-8 what most machines write; in the last one each byte is a character.
_ENCODINGS = ("utf-8", "cp1252", "latin-1")


@dataclass(frozen=True)
class Written:
    """How a file is written, where it is not the usual way.

    Attributes:
        settings: keys of the source with their values.
        reasons: why, by key.
    """

    settings: dict[str, object]
    reasons: dict[str, str]


def detected(path: Path, usual_delimiter: str) -> Written:
    """Return how a delimited text seems to be written.

    Args:
        path: of the file, plain or .gz.
        usual_delimiter: what separates its fields where nothing is stated.

    Raises:
        DataError: the file is not there or not readable.
    """
    settings: dict[str, object] = {}
    reasons: dict[str, str] = {}
    encoding, text = _beginning(path)
    if encoding != "utf-8":
        settings["encoding"], reasons["encoding"] = encoding, f"the file is not UTF-8 text; it looks like {encoding}"
    form = _form(text, usual_delimiter)
    if form is None:
        return Written(settings, reasons)
    if form.delimiter != usual_delimiter:
        settings["delimiter"] = form.delimiter
    names, why = _names(form)
    skip = form.first.line - 1
    if names is not None:
        settings["columns"], reasons["columns"] = names, why
        skip = form.first.last_line if form.has_header else skip
    elif skip:
        reasons["skip"] = "the lines before the header"
    if skip:
        settings["skip"] = skip
    return Written(settings, reasons)


@dataclass(frozen=True)
class _Form:
    """Records of a text, split at a delimiter.

    Attributes:
        delimiter: one character.
        first: the header, or the first row.
        rows: the fields of the rows after it.
        width: how many fields most of them have.
    """

    delimiter: str
    first: Record
    rows: Sequence[Sequence[str]]
    width: int

    @property
    def has_header(self) -> bool:
        """Whether the first record holds names."""
        names = [field.strip() for field in self.first.fields]
        return not seem_to_be_values(names, [row for row in self.rows if len(row) == len(names)])


def _beginning(path: Path) -> tuple[str, bytes]:
    """Return the encoding of a text, and its first records as UTF-8."""
    with open_data_file(path) as file:
        first = file.read(_BLOCK)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = next(each for each in _ENCODINGS if _decodes(path, each))
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    text = decoder.decode(first).removeprefix("\ufeff").encode("utf-8", "replace")
    end = text.rfind(b"\n") + 1 if len(first) == _BLOCK else len(text)
    return encoding, text[:end]


def _decodes(path: Path, encoding: str) -> bool:
    """Return whether a whole file is text in an encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_data_file(path) as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _form(text: bytes, usual: str) -> _Form | None:
    """Return how the records are split, or None where no delimiter gives several fields."""
    found: list[_Form] = []
    for delimiter in dict.fromkeys((usual, *_DELIMITERS, " ")):
        if delimiter == " " and found:  # there are blanks in many texts
            break
        rows: list[Record] = []
        with suppress(csv.Error):  # who reads the file says what is wrong with it
            for record in itertools.islice(records(text, delimiter), _SAMPLE):
                rows.append(record)
        form = _split_alike(delimiter, rows)
        if form is not None:
            found.append(form)
    # The first record says best how many fields there are. A comma may also be in each number, and in each name.
    return max(
        found,
        key=lambda form: (
            form.first.line == 1,
            len(form.first.fields) == form.width,
            form.delimiter not in ", ",
            form.delimiter == usual,
            form.width,
        ),
        default=None,
    )


def _split_alike(delimiter: str, rows: Sequence[Record]) -> _Form | None:
    widths = Counter(len(record.fields) for record in rows[1:] or rows)
    if not widths:
        return None
    width, count = widths.most_common(1)[0]
    if width < 2 or count < _ALIKE * widths.total():
        return None
    # Programs such as R write no name above the names of the rows.
    begin = next(place for place, record in enumerate(rows) if width - 1 <= len(record.fields) <= width)
    fields = [record.fields for record in rows[begin + 1 :]]
    return _Form(delimiter, rows[begin], fields, width) if begin < len(rows) - 1 or not begin else None


def _names(form: _Form) -> tuple[list[str] | None, str]:
    """Return the names of the columns where the first record does not name each, and why."""
    names = [field.strip() for field in form.first.fields]
    if not form.has_header:
        return [f"column_{number}" for number in range(1, form.width + 1)], "the file has no header line: name them"
    lacking = len(names) == form.width - 1
    if lacking and all(row and not row[-1].strip() for row in form.rows):
        names, why = [*names, ""], "each row ends with a delimiter"
    elif lacking:
        names, why = ["", *names], "the header does not name the first column"
    elif "" in names:
        why = "the header does not name each column"
    elif len(set(names)) < len(names):
        why = "the header has a name twice"
    else:
        return None, ""
    made: list[str] = []
    for number, name in enumerate(names, start=1):
        wanted = name or ("index" if number == 1 else f"column_{number}")
        made.append(free_name(wanted, {*made, *names[number:]} - {""}) if not name or name in made else name)
    return made, why
