"""The pages in docs/ say what is so: the reference is generated anew, YAML is validated, excerpts have the form of a
real run, links lead somewhere."""

import json
import re
import runpy

import pytest

from mltrain.load import load_text
from tests.conftest import CONFIGS, REPOSITORY

PAGES = [
    *sorted(REPOSITORY.glob("docs/*.md")),
    REPOSITORY / "benchmarks" / "README.md",
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
]
# What a block of YAML that shows one section leaves out.
REST = {
    "data": "data: {source: {type: synthetic, kind: blobs}}\n",
    "model": "model: {type: mlp}\n",
}


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def anchors(path):
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-").lower() for heading in headings}


def test_the_reference_is_what_the_specs_say():
    made = runpy.run_path(str(REPOSITORY / "docs" / "generate.py"))
    written = made["PAGE"].read_text(encoding="utf-8")
    assert written == made["page"](), "run `python docs/generate.py`"


def test_the_reference_has_every_key_and_every_component():
    written = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    for key in ("seed", "data", "source", "target", "split", "features", "model", "optimizer", "stop_when", "keep"):
        assert f"| `{key}` |" in written or f"| [`{key}`](#" in written, key
    for heading in ("#### csv", "#### files", "#### category", "#### mlp", "#### EarlyStopping", "### `model.layers`"):
        assert f"\n{heading}\n" in written, heading
    for name in ("`roc_auc`", "`Conv2D`", "`CosineDecay`", "`SparseCategoricalCrossentropy`", "`HeNormal`"):
        assert name in written, name


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_yaml_is_valid(path):
    for text in blocks(path, "yaml"):
        rest = "".join(section for key, section in REST.items() if not re.search(rf"^{key}:", text, re.MULTILINE))
        load_text((text + rest).encode(), path.name, path.parent)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path):
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_excerpts_of_a_run_have_its_form(mltrain, tmp_path):
    done = mltrain("train", CONFIGS / "breast_cancer.yaml", "--run-dir", tmp_path / "run", "--quiet")
    assert done.code == 0, done.err
    page = REPOSITORY / "docs" / "run_directory.md"
    record, status, metrics = (json.loads(text) for text in blocks(page, "json"))
    for excerpt, name in ((record, "record"), (status, "status"), (metrics, "metrics")):
        assert_is_part(excerpt, json.loads((tmp_path / "run" / f"{name}.json").read_text()), name)
    resolved = (tmp_path / "run" / "config.resolved.yaml").read_text()
    for line in blocks(page, "yaml")[0].splitlines():
        assert line in resolved
    header = (tmp_path / "run" / "history.csv").read_text().splitlines()[0]
    assert f"\n{header}\n" in page.read_text(encoding="utf-8")


def test_every_file_of_a_run_is_explained(mltrain, config, tmp_path):
    done = mltrain("train", config(), "--run-dir", tmp_path / "run", "--quiet")
    assert done.code == 0, done.err
    explained = (REPOSITORY / "docs" / "run_directory.md").read_text(encoding="utf-8")
    for path in (tmp_path / "run").iterdir():
        assert f"| `{path.name}" in explained, path.name


def assert_is_part(excerpt, whole, place):
    """Numbers and times differ from machine to machine; keys, words, types and the items of an excerpted list do
    not."""
    assert type(excerpt) is type(whole), place
    if isinstance(excerpt, dict):
        for key, value in excerpt.items():
            assert key in whole, f"{place}.{key}"
            if place != "record.versions":
                assert_is_part(value, whole[key], f"{place}.{key}")
    elif isinstance(excerpt, list) and excerpt and isinstance(excerpt[0], dict):
        for item in excerpt:
            assert item in whole, place
    elif isinstance(excerpt, str) and place.rpartition(".")[2] in ("state", "task", "metric", "weights", "direction"):
        assert excerpt == whole, place
