"""Hooks of mkdocs: the site has the paths of the repository, so that the links of its pages are checked as they are.

The pages are those of docs/ and the ones listed in BESIDE. A link to another file, such as a config or a test, adds
that file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

REPOSITORY = Path(__file__).parent.parent
BESIDE = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "benchmarks/RESULTS.md",
]
LINK = re.compile(r"(?:\]\(|src=\")(?!\w+:|#)([^)#\"\s]+)")

TO_A_PLACE = re.compile(r"\[([^\]]+)\]\(([^)#:\s]+)\)")


def on_config(config: Any) -> Any:
    """Give headings the anchors that GitHub gives them."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = _anchor
    return config


def on_files(files: Files, config: Any) -> Files:
    """Return the pages and what they link to, each at its path in the repository, and the files of the theme."""
    pages = [*sorted(REPOSITORY.glob("docs/*.md")), *(REPOSITORY / name for name in BESIDE)]
    linked = {
        (page.parent / link).resolve() for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))
    }
    others = {path for path in linked if path.is_file() and path.is_relative_to(REPOSITORY)} - set(pages)
    kept = [file for file in files if file.src_dir != config.docs_dir]
    return Files(kept + [_file(path, config) for path in (*pages, *sorted(others))])


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Take links to folders out of a page: a site cannot list a folder."""
    here = (REPOSITORY / page.file.src_uri).parent
    return TO_A_PLACE.sub(lambda link: link[1] if (here / link[2]).is_dir() else link[0], markdown)


def _anchor(heading: str, separator: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", separator).lower()


def _file(path: Path, config: Any) -> File:
    return File.generated(config, path.relative_to(REPOSITORY).as_posix(), abs_src_path=str(path))
