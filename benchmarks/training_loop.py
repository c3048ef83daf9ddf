"""mltrain's loop against `model.fit`, JAX and PyTorch: `python -m benchmarks.training_loop`, a quarter of an hour.

All start from the same weights and train on the same rows in the same order, one epoch of each in turns. The first
epochs, in which they trace and compile, are not counted, and neither is the time to bring the rows into the order of
the epoch for `fit`, which all others do themselves. JAX and PyTorch, where they are installed, are processes of their
own; both are written by hand as fast as they are without tricks, see peers/.

What a way is allowed to change is checked in the same run: weights and losses are those of `fit` to the last bit where
it says so, to the case's tolerance where sums run in another order. With XLA or unrolled, the losses of the first
epoch and of the second shall be within 1e-5 of those of `fit`: they stand out where they are not, and end the benchmark
where that cannot be rounding. In bfloat16 the accuracy on rows that nobody trained on is shown beside that of `fit`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.cases import CNN, DENSE, GRU, LSTM, SEED, TABLE, TRANSFORMER, WIDE_LSTM, Case, build, data
from benchmarks.loop_beside_fit import epoch_by_fit, epoch_by_loop
from benchmarks.peers.process import Peer, installed
from benchmarks.ratios import Row, in_turns, quick, ratio, show
from mltrain.tensorflow_start import start_tensorflow

ROUNDS, QUICK_ROUNDS = 5, 2
# Of the losses where operations are fused or sums run in another order: what they shall be within, and what no rounding
# explains in two epochs. Later the last digits have grown into others.
HISTORY_EPOCHS, HISTORY_TOLERANCE, WRONG = 2, 1e-5, 1e-2
TEST_ROWS = 4_000
Way = Literal["loop", "loop with XLA", "loop, unrolled", "loop, fused", "loop in bfloat16"]


@dataclass(frozen=True)
class Plan:
    """What one case is measured with.

    Attributes:
        case: the model.
        at_least: what `fit` shall take, as a multiple of each way of ours.
        peers: a framework, its module, the way it is compared with, and what it shall take at least.
    """

    case: Case
    at_least: dict[Way, float]
    peers: tuple[tuple[str, str, Way, float], ...] = ()


PLANS = (
    Plan(DENSE, {"loop": 5, "loop with XLA": 7}, (("jax", "jax_scan", "loop with XLA", 1.0),)),
    Plan(TABLE, {"loop": 3, "loop with XLA": 4}, (("torch", "torch_eager", "loop", 2.0),)),
    Plan(CNN, {"loop": 1.8, "loop in bfloat16": 2.5}),
    Plan(
        LSTM, {"loop": 1.0, "loop, unrolled": 1.0, "loop, fused": 2.5}, (("torch", "torch_eager", "loop, fused", 1.0),)
    ),
    Plan(WIDE_LSTM, {"loop": 1.0, "loop, fused": 1.2}, (("torch", "torch_eager", "loop, fused", 1.0),)),
    Plan(
        GRU, {"loop": 1.0, "loop, unrolled": 1.0, "loop, fused": 2.5}, (("torch", "torch_eager", "loop, fused", 1.0),)
    ),
    Plan(TRANSFORMER, {"loop": 1.3}),
)
PEERS = {"jax": "JAX, `lax.scan` by hand", "torch": "PyTorch, eager by hand"}


@dataclass
class Trained:
    """One model that is trained, an epoch at a time.

    Attributes:
        model: compiled.
        epoch: trains the next epoch.
        losses: of the epochs so far.
    """

    model: Any
    epoch: Callable[[], None]
    losses: list[float]


def main() -> None:
    short = quick(__doc__)
    start_tensorflow()
    rounds = QUICK_ROUNDS if short else ROUNDS
    show(row for plan in PLANS for row in measured(_shortened(plan) if short else plan, rounds))


def _shortened(plan: Plan) -> Plan:
    return replace(plan, case=replace(plan.case, rows=plan.case.rows // 10))


def measured(plan: Plan, rounds: int) -> list[Row]:
    """Return the rows of one case.

    Raises:
        SystemExit: what was computed differs by more than it may.
    """
    case = plan.case
    x, y = data(case)
    ways = {way: _way(case, way, x, y) for way in plan.at_least if _possible(way)}
    fitted = build(case)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        peers = {
            framework: stack.enter_context(closing(_peer(module, case, fitted, directory)))
            for framework, module, _, _ in plan.peers
            if installed(framework)
        }
        losses: list[float] = []
        actions = {way: trained.epoch for way, trained in ways.items()}
        actions["fit"] = epoch_by_fit(fitted, x, y, case.batch_size, losses)
        seconds = in_turns({**actions, **{name: peer.epoch for name, peer in peers.items()}}, rounds)
    rows = []
    for way, bound in plan.at_least.items():
        what = f"{case.name}: {way}"
        if way not in ways:
            rows.append(Row(what, "`model.fit`", bound, "not measured: no instructions for bfloat16"))
            continue
        agreement = _agreement(case, way, ways[way], fitted, losses)
        rows.append(Row(what, "`model.fit`", bound, ratio(seconds["fit"], seconds[way]), agreement))
    for framework, _, way, bound in plan.peers:
        what, reference = f"{case.name}: {way}", PEERS[framework]
        if framework not in peers:
            rows.append(Row(what, reference, bound, "not installed"))
            continue
        agreement = f"losses after {rounds + 1} epochs: {ways[way].losses[-1]:.4f}, {peers[framework].loss:.4f}"
        rows.append(Row(what, reference, bound, ratio(seconds[framework], seconds[way]), agreement))
    return rows


def _possible(way: Way) -> bool:
    from mltrain.training.devices import choose_device

    return way != "loop in bfloat16" or choose_device("cpu").computes_bfloat16


def _peer(module: str, case: Case, model: Any, directory: Path) -> Peer:
    return Peer(module, case, directory, model.get_weights() if module == "jax_scan" else None)


def _way(case: Case, way: Way, x: np.ndarray, y: np.ndarray) -> Trained:
    from mltrain.training.acceleration import Acceleration
    from mltrain.training.feed import ResidentFeed
    from mltrain.training.loop import CompiledSteps

    model = build(case, "mixed_bfloat16" if way == "loop in bfloat16" else "float32")
    acceleration = Acceleration(xla=way == "loop with XLA", unroll=way == "loop, unrolled", fuse=way == "loop, fused")
    losses: list[float] = []
    loop = CompiledSteps(model, ResidentFeed((x, y)), case.batch_size, acceleration)
    return Trained(model, epoch_by_loop(loop, losses), losses)


def _agreement(case: Case, way: Way, trained: Trained, fitted: Any, losses: list[float]) -> str:
    """Return in words how far the results of a way are from those of `fit`."""
    if way == "loop in bfloat16":
        ours, theirs = (_accuracy(model, case) for model in (trained.model, fitted))
        return f"accuracy on other rows {ours:.4f}, `fit` {theirs:.4f}"
    apart = [abs(mine - theirs) for mine, theirs in zip(trained.losses, losses, strict=True)]
    if way != "loop":
        _refuse(case, way, max(apart[:HISTORY_EPOCHS]), WRONG)
        first, second = (f"**{each:.0e}**" if each > HISTORY_TOLERANCE else f"{each:.0e}" for each in apart[:2])
        return f"loss of the first epoch within {first}, of the second within {second}"
    pairs = zip(trained.model.get_weights(), fitted.get_weights(), strict=True)
    difference = max(*apart, *(float(np.abs(mine - their).max()) for mine, their in pairs))
    _refuse(case, way, difference, case.tolerance)
    epochs = f"{len(losses)} epochs"
    return f"equal bit for bit after {epochs}" if difference == 0 else f"within {difference:.0e} after {epochs}"


def _refuse(case: Case, way: Way, difference: float, tolerance: float) -> None:
    if difference > tolerance:
        raise SystemExit(f"{case.name}, {way}: weights or losses differ by {difference:.3g}, more than {tolerance:g}")


def _accuracy(model: Any, case: Case) -> float:
    x, y = data(case, rows=TEST_ROWS, seed=SEED + 1)
    return float((model.predict(x, batch_size=512, verbose=0).argmax(-1) == y).mean())


if __name__ == "__main__":
    main()
