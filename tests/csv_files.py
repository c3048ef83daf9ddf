"""CSV files as the tests read them back."""

import csv


def read_csv(path):
    """Return the rows, each by the names of the header."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
