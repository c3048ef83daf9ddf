"""What a training needs before its first step: the data, the plan, the network, and how it is compiled. Imports
TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mltrain.data.preparation import Prepared
from mltrain.experiment.settled import settled, settling_decisions
from mltrain.experiment.spec import ExperimentSpec
from mltrain.first_weights.slow_copies import follow_first_weights
from mltrain.procedures.data_of_launcher import prepared_data
from mltrain.procedures.first_weights import put_first_weights
from mltrain.procedures.member_folds import MemberFolds
from mltrain.procedures.network import Network, build_network
from mltrain.procedures.own_layers import export_decision, own_layers
from mltrain.procedures.phases import Phases
from mltrain.procedures.plan import Plan, make_plan
from mltrain.procedures.slices import Slices, fit_slices
from mltrain.procedures.staging import PlannedStage, kept_key, planned_stages, stage_decisions
from mltrain.procedures.word_vectors import put_first_vectors
from mltrain.run.architecture import Architecture
from mltrain.run.proof import json_fingerprint
from mltrain.run.rate_test import RateTest
from mltrain.run.record import Data, Device, Record, Threads, VectorFiles, WeightsOrigin, row_fingerprint
from mltrain.task import Decision
from mltrain.training.acceleration import Acceleration, Precision, accelerate, choose_precision
from mltrain.training.class_weights import class_weight_decision
from mltrain.training.devices import DeviceChoice, choose_device
from mltrain.training.state import use_new_statistics


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
        rate: the learning rate that was looked for; None without that, or before it is found.
        rate_test: how it was found; None in a run that goes on.
        folds: which network of an ensemble leaves out which training rows; None where all learn from all.
        vectors: the files of word vectors that were read, by the name of the text.
        stages: of the training, as they will be trained; empty where it has none.
        architecture: the layers of the network, as the config says them, and the stages.
        origins: where first weights of the model are from, by the key of the config.
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
    architecture: Architecture
    epochs: int | None = None
    rate: float | None = None
    rate_test: RateTest | None = None
    folds: MemberFolds | None = None
    vectors: Mapping[str, VectorFiles] = field(default_factory=dict)
    stages: tuple[PlannedStage, ...] = ()
    origins: Mapping[str, WeightsOrigin] = field(default_factory=dict)

    def with_first_weights(self, context: Phases) -> Setup:
        """Return the same with the first weights in the network, for a training at its first step.

        Args:
            context: of the process, which fetches a file of ImageNet, and knows the plugins.

        Raises:
            DataError: a file of word vectors or weights is not there, or is damaged.
            RunError: a run whose weights are asked for is not there, or is damaged.
            DownloadError: weights of ImageNet are not there.
            MisfitError: the weights are not there, or do not fit.
        """
        prepared, network = self.prepared, self.network
        train = prepared.examples["train"]
        for number, model in enumerate(network.models):
            inputs, targets = train.inputs, train.targets
            if self.folds is not None:  # what is fitted to rows, such as edges of pieces, does not know the others
                inputs, targets = self.folds.learned(number, inputs), self.folds.learned(number, targets)
            first = self.spec.model.initialise(model, prepared.info, inputs, targets)
            learned = put_first_weights(self.spec, prepared.info, model, context.download, context.plugins)
            use_new_statistics(model)
            words = put_first_vectors(self.spec.data, prepared, model)
        if learned.origins:
            follow_first_weights(network.model)
        # Behind the device, so that the terminal shows them where there are many decisions.
        device, *others = self.decisions
        decisions = (device, *first, *learned.decisions, *words.decisions, *others)
        return replace(self, decisions=decisions, vectors=words.files, origins=learned.origins)

    def recorded(self, record: Record) -> Record:
        """Return the record with all that is known before the first step: enough to prove later that it is the same."""
        prepared, stated_seed = self.prepared, getattr(self.spec.data.split, "seed", None)  # only splits that draw
        return record.with_values(
            device=Device(value=self.device.kind, reason=self.device.reason),
            threads=Threads(intra_op=self.device.intra_op_threads, inter_op=self.device.inter_op_threads),
            determinism={
                "op_determinism": False,
                "precision": self.precision,
                **self.acceleration.determinism,
                **{kept_key(number): each.keeps for number, each in enumerate(self.stages)},
            },
            seeds={"experiment": self.spec.seed, "split": self.spec.seed if stated_seed is None else stated_seed},
            epochs=self.epochs,
            learning_rate=self.rate,
            slices=self.slices.edges,
            decisions=self.decisions,
            vectors=self.vectors,
            first_weights=self.origins,
            data=Data(source=prepared.source, rows=prepared.rows, sha256=prepared.sha256),
            preprocessing=json_fingerprint(prepared.preprocessing.to_json()),
            splits={name: row_fingerprint(rows) for name, rows in prepared.splits.items()},
        )


def set_up(
    spec: ExperimentSpec,
    context: Phases,
    determinism: Mapping[str, bool | str],
    epochs: int | None = None,
    rate: float | None = None,
) -> Setup:
    """Read the data of an experiment, and build its network.

    Args:
        spec: the experiment.
        context: of the process; nothing is written.
        determinism: of the record where a run is resumed; empty for a new one.
        epochs: that fit a budget in seconds, of that record.
        rate: the learning rate that was found, of that record.

    Raises:
        DeviceError: there is no such device.
        DataError: the data is not there, not readable, or does not fit what was asked.
        MisfitError: what is asked for does not fit the data.
    """
    device = choose_device(spec.device, context.threads(spec.threads), context.place_on_machine)

    context.begin("reading the data")
    prepared = prepared_data(spec, context.stopwatch)
    return planned_setup(spec, device, prepared, context, determinism, epochs, rate)


def planned_setup(
    spec: ExperimentSpec,
    device: DeviceChoice,
    prepared: Prepared,
    context: Phases,
    determinism: Mapping[str, bool | str],
    epochs: int | None,
    rate: float | None = None,
) -> Setup:
    """Return the setup of an experiment whose data is read; arguments and errors as for `set_up`."""
    settling = settling_decisions(spec, prepared.info, epochs, rate)
    spec = settled(spec, prepared.info, epochs, rate)
    slices = fit_slices(spec.evaluation.slices, prepared)
    plan = make_plan(spec, prepared.info, set(prepared.examples), slices.names)
    folds = MemberFolds.of(spec, prepared.info, prepared.examples["train"])

    context.begin("building the model")
    precision, precision_decisions = choose_precision(spec.precision, spec.model.written_layers, device)
    network = build_network(spec, prepared.info, prepared.preprocessing.target, precision)
    held_out = prepared.examples.get("validation")
    rows = len(prepared.examples["train"].y) + (len(held_out.y) if held_out else 0)
    architecture = network.architecture  # before a stage holds layers
    stages = planned_stages(network, rows, determinism, context.folder)
    worth_xla = network.spec.model.worth_xla
    acceleration = accelerate(
        network.model, network.updates, device, spec.training, determinism, worth_xla, context.workers
    )
    decisions = (
        Decision("device", device.words, device.reason),
        *context.worker_decisions,
        *prepared.decisions,
        *settling,
        network.head.decision,
        *plan.decisions,
        *export_decision(own_layers(network.model, spec)),
        *(() if folds is None else (folds.decision,)),
        *class_weight_decision(spec.training, prepared.examples["train"].y, prepared.info),
        *precision_decisions,
        *acceleration.decisions,
        *stage_decisions(stages),
        network.evaluation_block[1],
    )
    return Setup(
        spec=spec,
        device=device,
        prepared=prepared,
        slices=slices,
        plan=plan,
        network=network,
        precision=precision,
        acceleration=acceleration,
        decisions=decisions,
        architecture=architecture.model_copy(update={"stages": tuple(each.recorded for each in stages)}),
        epochs=epochs,
        rate=rate,
        folds=folds,
        stages=stages,
    )
