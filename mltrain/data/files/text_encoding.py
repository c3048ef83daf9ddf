"""Text in whatever encoding as UTF-8, and what is no text."""

from __future__ import annotations

import codecs

from mltrain.errors import DataError

BINARY = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x93NUMPY": "a NumPy array",
}


def utf8_text(name: str, data: bytes, encoding: str, *, options: bool = False) -> bytes:
    """Return the text of a whole file as UTF-8 without a byte order mark.

    Raises:
        DataError: it is no text, none in that encoding, or empty.
    """
    refuse_binary(name, data)
    try:
        if not is_utf8(encoding):
            data = data.decode(encoding).encode()
        elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            setting = "pass --encoding utf-16" if options else "set data.source.encoding: utf-16"
            raise DataError(f"{name}: the file is UTF-16; save it as UTF-8, or {setting}")
    except UnicodeError as error:
        raise undecodable(name, data, encoding, error, options=options) from error
    data = data.removeprefix(codecs.BOM_UTF8)
    check_characters(name, data, encoding, options=options)
    if not data or data.isspace():
        raise DataError(f"{name}: the file is empty")
    return data


def is_utf8(encoding: str) -> bool:
    """Return whether an encoding is UTF-8, under whatever name."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def refuse_binary(name: str, data: bytes) -> None:
    """Raise DataError for the beginning of a file that is another kind of file."""
    for magic, what in BINARY.items():
        if data.startswith(magic):
            raise DataError(f"{name}: this is {what}, not a text file")


def check_characters(name: str, text: bytes, encoding: str, first_line: int = 1, *, options: bool = False) -> None:
    """Raise DataError where `text`, whose first line has that number, is not UTF-8 or holds a NUL byte."""
    try:
        if not text.isascii():
            text.decode()
    except UnicodeError as error:
        raise undecodable(name, text, encoding, error, first_line, options=options) from error
    if (nul := text.find(b"\0")) >= 0:
        line = text.count(b"\n", 0, nul) + first_line
        key = "--encoding" if options else "data.source.encoding"
        raise DataError(f"{name}:{line}: a NUL byte; the file is binary, damaged, or in another encoding (see {key})")


def undecodable(
    name: str, data: bytes, encoding: str, error: UnicodeError, first_line: int = 1, *, options: bool = False
) -> DataError:
    """Return the error of `data`, whose first line has that number, and which is not text in `encoding`."""
    setting = "pass --encoding" if options else "set data.source.encoding:"
    remedy = f"save the file as UTF-8, or {setting} cp1252 (usual on Windows)"
    if first_line == 1 and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return DataError(f"{name}: the file is UTF-16; save it as UTF-8, or {setting} utf-16")
    if not isinstance(error, UnicodeDecodeError):
        return DataError(f"{name}: not {encoding} text ({error}); {remedy}")
    line = data.count(b"\n", 0, error.start) + first_line
    begin = data.rfind(b"\n", 0, error.start) + 1
    return DataError(
        f"{name}:{line}: byte {error.start - begin + 1} of the line is 0x{data[error.start]:02x}, "
        f"which is not {encoding} text; {remedy}"
    )
