"""What a source file does that mltrain must never do, by its syntax tree: running code from data, and writing files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

# Modules that run code from what they read, or whatever code they are given.
MODULES = {
    *("pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "jsonpickle"),
    *("builtins", "code", "codeop", "runpy", "imp", "zipimport", "ctypes", "h5py"),
}
# Names that are forbidden wherever they stand: `keras.models.load_model`, `saving.load_model`, `load_model`.
NAMES = {
    *("load_model", "load_weights", "model_from_json", "model_from_config", "deserialize_keras_object"),
    *("enable_unsafe_deserialization", "read_pickle", "to_pickle", "unsafe_load", "unsafe_load_all"),
    *("exec_module", "spec_from_loader", "spec_from_file_location", "module_from_spec", "entry_points"),
    *("full_load", "full_load_all", "UnsafeLoader", "FullLoader", "mktemp"),
}
BUILTINS = {"eval", "exec", "compile", "__import__", "breakpoint"}
DOTTED = {
    *("yaml.load", "yaml.load_all", "yaml.Loader", "yaml.CLoader", "yaml.add_constructor", "torch.load"),
    *("os.system", "os.popen", "os.startfile", "pty.spawn", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("tensorflow.saved_model.load", "tensorflow.py_function", "tensorflow.numpy_function"),
}

_WRITING_FLAGS = {"O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND", "O_TRUNC", "O_TMPFILE"}
_WRITING_METHODS = {
    *("write_text", "write_bytes", "touch", "mkdir", "rmdir", "unlink", "rename", "symlink_to", "hardlink_to", "chmod"),
    *("save", "save_weights", "savefig", "print_png", "print_figure", "tofile", "export", "extractall", "extract"),
}
_WRITING_OF_OS = {
    *(
        "mkdir",
        "makedirs",
        "rmdir",
        "removedirs",
        "remove",
        "unlink",
        "rename",
        "renames",
        "replace",
        "link",
        "symlink",
    ),
    *("truncate", "ftruncate", "mkfifo", "mknod", "chmod", "chown", "write", "pwrite", "writev", "utime"),
}
_WRITING_MODULES = ("shutil", "tempfile")
_ONLY_READING = {"shutil.disk_usage", "shutil.which", "shutil.get_terminal_size", "tempfile.gettempdir"}


@dataclass(frozen=True, order=True)
class Finding:
    """One place: the line, and what stands there."""

    line: int
    what: str


def forbidden(source: str) -> list[Finding]:
    """Return every place where code could be run that is not mltrain's own."""
    return sorted(set(_Walker(source).forbidden()))


def writes(source: str) -> list[Finding]:
    """Return every place where a file or directory could be made, changed or removed."""
    return sorted(set(_Walker(source).writes()))


class _Walker:
    def __init__(self, source: str) -> None:
        self.tree = ast.parse(source)
        self.names: dict[str, str] = {}  # what a name was imported as: {"np": "numpy", "run": "subprocess.run"}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.names[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def dotted(self, node: ast.AST) -> str:
        """Return `numpy.load` for `np.load`; "" for what is no name."""
        if isinstance(node, ast.Name):
            return self.names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            inner = self.dotted(node.value)
            return f"{inner}.{node.attr}" if inner else f"?.{node.attr}"
        return ""

    def forbidden(self) -> Iterator[Finding]:
        for node in ast.walk(self.tree):
            line = getattr(node, "lineno", 0)
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                yield from (Finding(line, name) for name in modules if name.partition(".")[0] in MODULES)
                imported = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
                yield from (Finding(line, name) for name in imported & NAMES)
            elif isinstance(node, ast.Name | ast.Attribute):
                name = self.dotted(node)
                last = name.rpartition(".")[2]
                # re.compile and model.compile are others: only the bare name is the builtin.
                starts_program = name.startswith(("os.exec", "os.spawn", "os.posix_spawn"))
                if last in NAMES or name in DOTTED or name in BUILTINS or starts_program:
                    yield Finding(line, name)
            elif isinstance(node, ast.Call):
                yield from self._call(node)

    def _call(self, node: ast.Call) -> Iterator[Finding]:
        name = self.dotted(node.func)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        if name.endswith("import_module") and not (node.args and _is_text(node.args[0])):
            yield Finding(node.lineno, "import_module of a name that is not written here")
        if name == "numpy.load" and (len(node.args) > 2 or "allow_pickle" not in given):
            yield Finding(node.lineno, "numpy.load without allow_pickle=False")
        if "allow_pickle" in given and not _is(given["allow_pickle"], False):
            yield Finding(node.lineno, "allow_pickle that is not False")
        if "shell" in given and not _is(given["shell"], False):
            yield Finding(node.lineno, "shell that is not False")
        if "safe_mode" in given and not _is(given["safe_mode"], True):
            yield Finding(node.lineno, "safe_mode that is not True")
        if name.startswith("subprocess.") and None in given:
            yield Finding(node.lineno, "subprocess with arguments that are not written here")
        if name == "getattr" and len(node.args) > 1 and _is_text(node.args[1]) and node.args[1].value in NAMES:
            yield Finding(node.lineno, str(node.args[1].value))

    def writes(self) -> Iterator[Finding]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute | ast.Name):
                name = self.dotted(node)
                first, _, last = name.rpartition(".")
                if first == "os" and last in _WRITING_FLAGS | _WRITING_OF_OS:
                    yield Finding(node.lineno, name)
                if name == "io.FileIO":
                    yield Finding(node.lineno, name)
                if first in _WRITING_MODULES and name not in _ONLY_READING:
                    yield Finding(node.lineno, name)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = self.dotted(node.func)
                last = name.rpartition(".")[2]
                # os.open has flags instead of a mode, which are looked at where they stand.
                # open(path, mode), archive.open(name, mode), path.open(mode).
                position = 1 if name in ("open", "io.open") or len(node.args) > 1 else 0
                if last == "open" and name != "os.open" and not _reads(node, position):
                    yield Finding(node.lineno, f"{name} for writing")
                if last == "fdopen" and not _reads(node, 1):
                    yield Finding(node.lineno, f"{name} for writing")
                if last in _WRITING_METHODS and isinstance(node.func, ast.Attribute) and not name.startswith("os."):
                    yield Finding(node.lineno, f".{last}()")
                if last == "ZipFile" and not _reads(node, 1):
                    yield Finding(node.lineno, f"{name} for writing")


def _reads(call: ast.Call, position: int) -> bool:
    """Return whether the mode of an open() is written out, and only reads."""
    mode = next((keyword.value for keyword in call.keywords if keyword.arg == "mode"), None)
    if mode is None and len(call.args) > position:
        mode = call.args[position]
    if mode is None:
        return not any(isinstance(each, ast.Starred) for each in call.args)
    return _is_text(mode) and not set(str(mode.value)) & set("wax+")  # type: ignore[attr-defined]


def _is(node: ast.AST, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
