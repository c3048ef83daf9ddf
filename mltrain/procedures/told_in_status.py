"""Whatever ends a training with an error: status.json says so, and an error of the config is placed in the YAML."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mltrain.config.load import Loaded
from mltrain.errors import InterruptedRunError, MisfitError, MltrainError
from mltrain.procedures.faults import machine_failure
from mltrain.run.locked_run import LockedRun
from mltrain.run.status import State, status


@contextmanager
def told_in_status(loaded: Loaded, run: LockedRun, begun: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Write into status.json how what happens inside ends, when it ends in an error, and place errors in the YAML.

    Args:
        loaded: the experiment.
        run: locked.
        begun: whether something of the run has been written: else it stays as it is.
    """

    def end(state: State, error: BaseException, exit_code: int) -> None:
        if begun():
            _end(run, state, error, exit_code)

    try:
        yield
    except InterruptedRunError as error:
        end("interrupted", error, error.exit_code)
        raise
    except KeyboardInterrupt as error:
        end("interrupted", error, 130)
        raise
    except MisfitError as error:
        placed = loaded.error(error.path, error.message)
        end("failed", placed, placed.exit_code)
        raise placed from error
    except MltrainError as error:
        end("failed", error, error.exit_code)
        raise
    except Exception as error:
        failure = machine_failure(error)
        if failure is not None:
            end("failed", failure, failure.exit_code)
            raise failure from error
        if begun():
            run.log("".join(traceback.format_exception(error)))
        end("failed", error, 1)
        raise


def _end(run: LockedRun, state: State, error: BaseException, exit_code: int) -> None:
    # The run may be what is broken, or cannot be written to: then the error itself is what the user must see.
    with suppress(MltrainError):
        before = run.status() if run.has_status() else None  # none before its first phase
        epoch, step = (before.epoch, before.step) if before else (0, 0)
        reason = str(error) or type(error).__name__
        run.write_status(status(state, reason, epoch=epoch, step=step, exit_code=exit_code))
