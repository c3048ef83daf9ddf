"""How many workers train an experiment whose `device` names several. TensorFlow is started only to count the GPUs of
`all`."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.config.load import Loaded
from mltrain.config.plugins import Plugins
from mltrain.errors import MltrainError, UsageError
from mltrain.procedures.failures import placed_failures
from mltrain.procedures.recorded_config import recorded_config
from mltrain.run.rundir import RunDirectory
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.device_names import single_devices
from mltrain.training.signals import Interruption
from mltrain.wording import counted

_KEY = ("device",)


def devices_of(loaded: Loaded, interruption: Interruption) -> int:
    """Return how many devices an experiment asks for on this machine.

    Raises:
        DeviceError: all GPUs are asked for, and there is none.
        InterruptedRunError: a signal came.
    """
    asked = loaded.spec.device
    if asked != "all":
        return max(1, len(single_devices(asked)))
    with interruption.deferred(), placed_failures(loaded):
        start_tensorflow()
        from mltrain.training.devices import gpus_of_machine

        count = len(gpus_of_machine())
    interruption.raise_if_received()
    return count


def workers_for_devices(
    loaded: Loaded, stated: int | None, interruption: Interruption, *, or_alone: bool = False
) -> int | None:
    """Return how many workers are to be started: one for each device, or as many as are stated; None where none is.

    Args:
        loaded: the experiment.
        stated: on the command line.
        interruption: of this process.
        or_alone: whether one process may train on the first of several devices.

    Raises:
        UsageError: another number is stated than there are devices.
        DeviceError: all GPUs are asked for, and there is none.
    """
    devices = devices_of(loaded, interruption)
    if devices == 1 or (or_alone and stated == 1):
        return stated
    if stated not in (None, devices):
        raise UsageError(
            f"--workers {stated}, and `device` asks for {devices} devices: there is one worker for each device; leave "
            f"--workers out, or name {counted(stated or 0, 'device')} with --set device=…"
        )
    return devices


def workers_of_run(
    run: RunDirectory,
    overrides: Sequence[str],
    plugins: Plugins | None,
    stated: int | None,
    interruption: Interruption,
) -> int | None:
    """Return how many workers resume a run; arguments and errors as for `workers_for_devices`."""
    try:
        loaded = recorded_config(run, overrides, plugins)
    except MltrainError:
        return stated  # the resumption says what is wrong with it
    return workers_for_devices(loaded, stated, interruption, or_alone=True)


def refuse_several_devices(loaded: Loaded, what: str, interruption: Interruption) -> None:
    """Refuse several devices where each of several runs is trained by one process.

    Args:
        loaded: the experiment.
        what: the command, as it is said.
        interruption: of this process.

    Raises:
        ConfigError: the experiment asks for several.
        DeviceError: all GPUs are asked for, and there is none.
    """
    devices = devices_of(loaded, interruption)
    if devices > 1:
        message = f"{what} trains each run on one device, and {devices} are asked for: state one (`--set device=auto`)"
        raise loaded.error((_KEY, message))
