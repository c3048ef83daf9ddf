"""The manifest of docs/workers.md fits the schema of Kubernetes, which the package kubernetes-validate ships, and its
parts agree."""

from __future__ import annotations

import re

import pytest
import yaml

from mltrain.workers.cluster import described
from tests.conftest import REPOSITORY

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="kubernetes-validate is not installed: python -m pip install '.[test]'"
)


@pytest.fixture(params=["1.25", "1.37"])
def version(request):
    """Return the oldest and the newest version of Kubernetes whose schema is there."""
    return request.param


@pytest.fixture
def manifest():
    """Return the objects of the manifest, by their kind."""
    page = (REPOSITORY / "docs" / "workers.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml\n(apiVersion:.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


def validate(each, version):
    kubernetes_validate.validate(each, version, strict=True)


def test_it_fits_the_schema_of_kubernetes(manifest, version):
    assert set(manifest) == {"Service", "Job"}
    for each in manifest.values():
        validate(each, version)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "completion"), 3),
        (("spec", "completions"), "3"),
        (("spec", "template", "spec", "containers", 0, "env", 0, "value"), 3),
        (("spec", "template", "spec", "containers", 0, "command"), "mltrain"),
        (("spec", "template", "spec", "containers", 0, "env", 2, "valueFrom", "secretKeyRef"), {"name": "digits"}),
    ],
    ids=["unknown key", "text for a number", "number for a text", "text for a list", "missing key"],
)
def test_what_does_not_fit_would_be_found(manifest, version, path, value):
    place = manifest["Job"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(manifest["Job"], version)


def test_its_parts_agree(manifest):
    service, job = manifest["Service"], manifest["Job"]
    name, pods = job["metadata"]["name"], job["spec"]["template"]["spec"]
    assert service["spec"] == {"clusterIP": "None", "selector": {"job-name": name}}
    assert pods["subdomain"] == service["metadata"]["name"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["completions"] == job["spec"]["parallelism"]
    said = {each["name"]: each.get("value", "a secret") for each in pods["containers"][0]["env"]}
    for index in range(job["spec"]["completions"]):
        cluster = described({**said, "JOB_COMPLETION_INDEX": str(index), "HOSTNAME": f"{name}-{index}"})
        assert cluster.rank == index
        assert cluster.addresses == tuple(f"{name}-{each}.{pods['subdomain']}:23456" for each in range(3))
