"""What a training needs before its first step: the data, the plan, the network, and how it is compiled. Imports
TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mltrain.data.preparation import Prepared
from mltrain.experiment.settled import settled, settling_decisions
from mltrain.experiment.spec import ExperimentSpec
from mltrain.procedures.forecast_dates import kept_columns
from mltrain.procedures.member_folds import MemberFolds
from mltrain.procedures.network import Network, build_network
from mltrain.procedures.own_layers import export_decision, own_layers
from mltrain.procedures.phases import Phases
from mltrain.procedures.plan import Plan, make_plan
from mltrain.procedures.preparing import prepare_for_model
from mltrain.procedures.slices import Slices, fit_slices
from mltrain.procedures.word_vectors import put_first_vectors
from mltrain.run.proof import json_fingerprint
from mltrain.run.record import Data, Device, Record, Threads, VectorFiles, row_fingerprint
from mltrain.task import Decision
from mltrain.training.acceleration import Acceleration, Precision, accelerate, choose_precision
from mltrain.training.class_weights import class_weight_decision
from mltrain.training.devices import DeviceChoice, choose_device


@dataclass(frozen=True)
class Setup:
    """An experiment whose data is read and whose network is built.

    Attributes:
        spec: the experiment, with values where the config says auto.
        device: where it is trained.
        prepared: its data.
        slices: rows that are measured apart.
        plan: what follows from the data.
        network: built and compiled.
        precision: what its layers compute in.
        acceleration: how the loop is compiled.
        decisions: what was not stated, with reasons.
        epochs: that fit a budget in seconds; None without one, or before they are measured.
        folds: which network of an ensemble leaves out which training rows; None where all learn from all.
        vectors: the files of word vectors that were read, by the name of the text.
    """

    spec: ExperimentSpec
    device: DeviceChoice
    prepared: Prepared
    slices: Slices
    plan: Plan
    network: Network
    precision: Precision
    acceleration: Acceleration
    decisions: tuple[Decision, ...]
    epochs: int | None = None
    folds: MemberFolds | None = None
    vectors: Mapping[str, VectorFiles] = field(default_factory=dict)

    def with_first_weights(self) -> Setup:
        """Return the same with the first weights in the network, for a training at its first step.

        Raises:
            DataError: a file of word vectors is not there, or is damaged.
            MisfitError: the weights are not there, or do not fit.
        """
        prepared, network = self.prepared, self.network
        train = prepared.examples["train"]
        for number, model in enumerate(network.models):
            inputs, targets = train.inputs, train.targets
            if self.folds is not None:  # what is fitted to rows, such as edges of pieces, does not know the others
                inputs, targets = self.folds.learned(number, inputs), self.folds.learned(number, targets)
            first = self.spec.model.initialise(model, prepared.info, inputs, targets)
            words = put_first_vectors(self.spec.data, prepared, model)
        return replace(self, decisions=(*self.decisions, *first, *words.decisions), vectors=words.files)

    def recorded(self, record: Record) -> Record:
        """Return the record with all that is known before the first step: enough to prove later that it is the same."""
        prepared, stated_seed = self.prepared, getattr(self.spec.data.split, "seed", None)  # only splits that draw
        return record.with_values(
            device=Device(value=self.device.kind, reason=self.device.reason),
            threads=Threads(intra_op=self.device.intra_op_threads, inter_op=self.device.inter_op_threads),
            determinism={"op_determinism": False, "precision": self.precision, **self.acceleration.determinism},
            seeds={"experiment": self.spec.seed, "split": self.spec.seed if stated_seed is None else stated_seed},
            epochs=self.epochs,
            slices=self.slices.edges,
            decisions=self.decisions,
            vectors=self.vectors,
            data=Data(source=prepared.source, rows=prepared.rows, sha256=prepared.sha256),
            preprocessing=json_fingerprint(prepared.preprocessing.to_json()),
            splits={name: row_fingerprint(rows) for name, rows in prepared.splits.items()},
        )


def set_up(
    spec: ExperimentSpec, context: Phases, determinism: Mapping[str, bool | str], epochs: int | None = None
) -> Setup:
    """Read the data of an experiment, and build its network.

    Args:
        spec: the experiment.
        context: of the process; nothing is written.
        determinism: of the record where a run is resumed; empty for a new one.
        epochs: that fit a budget in seconds, of that record.

    Raises:
        DeviceError: there is no such device.
        DataError: the data is not there, not readable, or does not fit what was asked.
        MisfitError: what is asked for does not fit the data.
    """
    device = choose_device(spec.device, spec.threads)

    context.begin("reading the data")
    prepared = prepare_for_model(spec, kept_columns(spec), context.stopwatch)
    return planned_setup(spec, device, prepared, context, determinism, epochs)


def planned_setup(
    spec: ExperimentSpec,
    device: DeviceChoice,
    prepared: Prepared,
    context: Phases,
    determinism: Mapping[str, bool | str],
    epochs: int | None,
) -> Setup:
    """Return the setup of an experiment whose data is read; arguments and errors as for `set_up`."""
    settling = settling_decisions(spec, prepared.info, epochs)
    spec = settled(spec, prepared.info, epochs)
    slices = fit_slices(spec.evaluation.slices, prepared)
    plan = make_plan(spec, prepared.info, set(prepared.examples), slices.names)
    folds = MemberFolds.of(spec, prepared.info, prepared.examples["train"])

    context.begin("building the model")
    precision, precision_decisions = choose_precision(spec.precision, spec.model.written_layers, device)
    network = build_network(spec, prepared.info, prepared.preprocessing.target, precision)
    worth_xla = network.spec.model.worth_xla
    acceleration = accelerate(network.model, network.updates, device, spec.training, determinism, worth_xla)
    decisions = (
        Decision("device", f"{device.kind} ({device.name})", device.reason),
        *prepared.decisions,
        *settling,
        network.head.decision,
        *plan.decisions,
        *export_decision(own_layers(network.model, spec)),
        *(() if folds is None else (folds.decision,)),
        *class_weight_decision(spec.training, prepared.examples["train"].y, prepared.info),
        *precision_decisions,
        *acceleration.decisions,
        network.evaluation_block[1],
    )
    return Setup(spec, device, prepared, slices, plan, network, precision, acceleration, decisions, epochs, folds)
