"""The names of the files in a run directory: no other module knows one."""

from __future__ import annotations

import re

# What becomes part of a path: no separators, no leading dot or dash, nothing that another system reserves.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

CONFIG = "config.yaml"
RESOLVED = "config.resolved.yaml"
RECORD = "record.json"
STATUS = "status.json"
SPLITS = "splits"
PREPROCESSING = "preprocessing.json"
REFERENCE = "reference.json"
AUDIT = "audit.json"
HISTORY = "history.csv"
METRICS = "metrics.json"
DECISION = "decision.json"
PREDICTIONS = "predictions"
LOOKS = "test_looks.jsonl"
PROFILE = "profile.json"
LAYERS = "model.json"
RATE_TEST = "learning_rate.json"
LEARNED = "learned.json"
WORKERS = "workers"
EXAMPLES = "examples.json"
EXPLANATION = "explanation.json"
PLOTS = "plots"
PAGE = "report.html"
CARD = "report.md"
MODEL = "model.keras"
CHECKPOINTS = "checkpoints"
LOG = "log.txt"
LOCK = ".lock"
FORMER = ".former"

# A folder of runs: what its name begins with, and what is in it beside its runs.
FOLDS_PREFIX = "folds-"
FOLDS = "folds.json"
FOLDS_CARD = "folds.md"
SEEDS_PREFIX = "seeds-"
SEEDS = "seeds.json"
SEEDS_CARD = "seeds.md"
LOGS = "logs"

# What a person reads, in this order: plain texts, and the one page.
FOR_PEOPLE = (PAGE, CARD, CONFIG, RESOLVED, METRICS, HISTORY, RECORD, STATUS, LOG)

PARTS = {
    *FOR_PEOPLE,
    *(SPLITS, PREPROCESSING, REFERENCE, AUDIT, DECISION, PREDICTIONS, LOOKS, PROFILE, LAYERS, LEARNED, EXAMPLES),
    *(RATE_TEST, EXPLANATION, PLOTS, WORKERS, MODEL, CHECKPOINTS, LOCK, FORMER),
}


def safe_name(name: str) -> str:
    """Return `name`, which becomes part of a path; a ValueError where it cannot."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a file name")
    return name
