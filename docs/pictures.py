"""Make the pictures of the README again: `python docs/pictures.py`. Writes docs/pictures/terminal.svg from the terminal
output of a real training and, where Chromium is installed, docs/pictures/report.png from the report of that run."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).parent
CONFIG = DOCS.parent / "configs" / "breast_cancer.yaml"
COMMAND = ("mltrain", "train", "breast_cancer.yaml")
WIDTH, HEIGHT = 100, 40
# Lines at the start, and epochs at the end: those between say the same again.
FIRST, LAST_EPOCHS = 17, 4
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def output_of(command, folder):
    """Return what a command writes to a terminal."""
    process, terminal = pty.fork()
    if not process:
        os.chdir(folder)
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": str(WIDTH), "LINES": str(HEIGHT)}
        os.execvp(sys.executable, [sys.executable, "-m", *command])  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    output = b""
    try:
        while part := os.read(terminal, 65536):
            output += part
    except OSError:  # the command has ended
        pass
    if os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]):
        raise SystemExit(output.decode())
    return output.decode()


def screen(output):
    """Return the lines that stay on the terminal: a progress bar is drawn over and erased."""
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", output):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part == "\x1b[2K":
            lines[row] = ""
        elif part.endswith("A") and part.startswith("\x1b["):
            row = max(row - int(part[2:-1] or 1), 0)
        elif part != "\r" and (not part.startswith("\x1b") or part.endswith("m")):
            lines[row] += part
    return lines


def shortened(lines):
    """Return the lines without those in the middle."""
    epochs = [number for number, line in enumerate(lines) if re.match(r"\s*\d+/\d+ ", Text.from_ansi(line).plain)]
    cut = epochs[-LAST_EPOCHS] if len(epochs) > LAST_EPOCHS else FIRST
    return lines if cut <= FIRST else [*lines[:FIRST], "  ⋮", *lines[cut:]]


def main():
    """Make the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(CONFIG, folder)
        lines = screen(output_of(COMMAND, folder).replace(folder, "/home/you/project"))
        console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), color_system="truecolor")  # noqa: SIM115, PTH123
        console.print(f"[bold]$ {' '.join(COMMAND)}", highlight=False)
        for line in shortened(lines):
            console.print(Text.from_ansi(line))
        (DOCS / "pictures").mkdir(exist_ok=True)
        svg = console.export_svg(title="mltrain", unique_id="terminal")
        # Rich names a font of a server: a page must load nothing from elsewhere.
        svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code, monospace", "monospace")
        (DOCS / "pictures" / "terminal.svg").write_text(svg, encoding="utf-8")
        if CHROMIUM is None:
            raise SystemExit("Chromium is not installed; docs/pictures/report.png stays as it is")
        (page,) = Path(folder).glob("runs/*/2*/report.html")
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,1080")
        picture = f"--screenshot={(DOCS / 'pictures' / 'report.png').resolve()}"
        subprocess.run([CHROMIUM, *options, picture, page.as_uri()], check=True, capture_output=True)  # noqa: S603


if __name__ == "__main__":
    main()
