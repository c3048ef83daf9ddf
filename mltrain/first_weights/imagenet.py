"""Weights of ImageNet: which file Keras has for a network, and that file in Keras' own cache. Imports TensorFlow.

Names, addresses and sums are those of the installed Keras: it is asked for a network with these weights, and stopped
where it would download them.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras.src.backend import config
from keras.src.utils import file_utils

from mltrain.data.files.opening import open_regular
from mltrain.errors import DataError, DownloadError
from mltrain.first_weights.apart import apart
from mltrain.keras_api.components import KerasComponent
from mltrain.problems import printable
from mltrain.replacement import replaced

_FOLDER = "models"
_PATIENCE = 30.0  # seconds without an answer
_SHA256_DIGITS = 64
_BLOCK = 2**20


class NoWeightsError(Exception):
    """Keras has no weights of ImageNet for such a network; the message says which there are."""


@dataclass(frozen=True)
class ImagenetFile:
    """A file of weights that Keras names.

    Attributes:
        name: of the file.
        address: where Keras downloads it.
        digest: its md5 or sha256; None where Keras has none, as for MobileNet and MobileNetV2.
        network: whose weights they are.
    """

    name: str
    address: str
    digest: str | None
    network: str

    @property
    def folder(self) -> Path:
        """The folder in which Keras looks for it."""
        return Path(config.keras_home()) / _FOLDER

    @property
    def path(self) -> Path:
        """Where it is, if it is there."""
        return self.folder / self.name


class _Stopped(Exception):  # noqa: N818 (no error)
    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__()
        self.given, self.more = given, more


def imagenet_file(network: KerasComponent, size: Sequence[int]) -> ImagenetFile:
    """Return the file that Keras has for a network of `keras.applications`. Nothing is downloaded.

    Args:
        network: with its arguments.
        size: height and width of its images.

    Raises:
        NoWeightsError: it has none.
    """

    def stopped(*given: Any, **more: Any) -> None:
        raise _Stopped(*given, **more)

    function = getattr(keras.applications, network.type)
    try:
        with apart(), replaced(file_utils, "get_file", stopped), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that have no file of their own: the name says which is taken
            function(include_top=False, weights="imagenet", input_shape=(*size, 3), **network.changed())
    except _Stopped as found:
        name, address = found.given[:2]
        digest = found.more.get("file_hash") or found.more.get("md5_hash")
        return ImagenetFile(str(name), str(address), digest, network.type)
    except ValueError as error:
        raise NoWeightsError(" ".join(str(error).split())) from error
    raise NoWeightsError(f"this version of Keras has no weights of ImageNet for {network.type}")


def fetched(file: ImagenetFile, download: Callable[[ImagenetFile], object]) -> Path:
    """Return where a file is in Keras' cache; it is downloaded where it is not there.

    Raises:
        DownloadError: it is not there, and cannot be downloaded.
        DataError: another file has its name.
    """
    if not file.path.exists():
        try:
            download(file)
        except (OSError, ValueError) as error:
            raise _not_downloaded(file, error) from error
        except Exception as error:  # Keras says with a bare Exception that it cannot reach an address
            if type(error) is not Exception:
                raise
            raise _not_downloaded(file, error) from error
    _refuse_another(file)
    return file.path


def download_by_keras(check: Callable[[], object], *, shown: bool) -> Callable[[ImagenetFile], None]:
    """Return what downloads a file into Keras' cache.

    Args:
        check: is called again and again meanwhile; what it raises ends the download.
        shown: whether its progress is shown on stderr.
    """

    def download(file: ImagenetFile) -> None:
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(_PATIENCE)
        try:
            with contextlib.redirect_stdout(_Progress(check, shown=shown)):
                keras.utils.get_file(file.name, file.address, cache_subdir=_FOLDER, file_hash=file.digest)
        finally:
            socket.setdefaulttimeout(before)

    return download


class _Progress(io.TextIOBase):
    """Takes what Keras prints on stdout, where only a path may stand, and shows it on stderr."""

    def __init__(self, check: Callable[[], object], *, shown: bool) -> None:
        self._check = check
        self._shown = shown

    def write(self, text: str) -> int:
        self._check()
        if self._shown:
            sys.stderr.write(text)
            sys.stderr.flush()
        return len(text)

    def isatty(self) -> bool:
        return self._shown and sys.stderr.isatty()


def _refuse_another(file: ImagenetFile) -> None:
    if file.digest is None:
        return
    algorithm = "sha256" if len(file.digest) == _SHA256_DIGITS else "md5"
    # What Keras names is an md5: it tells a damaged file, and another one that was put there by mistake.
    found = hashlib.new(algorithm, usedforsecurity=False)
    with open_regular(file.path) as opened:
        while block := opened.read(_BLOCK):
            found.update(block)
    if found.hexdigest() != file.digest:
        raise DataError(
            f"{printable(str(file.path))}: not the file of {file.network} that Keras names: its {algorithm} is "
            f"{found.hexdigest()}, expected {file.digest}; remove it, and it is downloaded again"
        )


def _not_downloaded(file: ImagenetFile, error: Exception) -> DownloadError:
    reason = printable(" ".join(str(error).replace(file.address, "the address").split()))[:200]
    return DownloadError(
        f"weights of ImageNet for {file.network}: {file.name} is not in Keras' cache and cannot be downloaded "
        f"({reason}); put {file.address} there, as {printable(str(file.path))}, or state `weights: none` or a file"
    )
