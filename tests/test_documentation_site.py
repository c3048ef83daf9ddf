"""The documentation becomes a site without network: links lead somewhere, and no page loads a file from elsewhere."""

import re
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

pytest.importorskip("material", reason="mkdocs-material is not installed: pip install '.[docs]'")


def build(folder, *, config=REPOSITORY / "mkdocs.yml"):
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--quiet",
        "--config-file",
        config,
        "--site-dir",
        folder,
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent)


def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path):
    done = build(tmp_path / "site")
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert {"index.html", "docs/tutorial/index.html"} <= {
        page.relative_to(tmp_path / "site").as_posix() for page in pages
    }
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe|link)\b[^>]*(?:src|href)="(?:https?:)?//', text), page
    for sheet in [*(tmp_path / "site").rglob("*.css"), *(tmp_path / "site").rglob("*.svg")]:
        assert not re.findall(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet
