"""What all tests share."""

import logging
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from support.runs.real_prefect import RealServer

# A shell has what it starts in the background ignore Ctrl-C, and so would the commands under test.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# On a busy machine an example takes longer than hypothesis's 200 ms, and nothing is wrong.
settings.register_profile("no absolute times", deadline=None)
settings.load_profile("no absolute times")


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Leave to the next test the signals of this process, which a command ends by ignoring."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook
    yield
    sys.unraisablehook = hook
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _volume() -> Iterator[None]:
    """Leave to the next test what is logged, of which `--quiet` and `--verbose` change how much."""
    logger = logging.getLogger("pith_ingest")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture(scope="session")
def prefect() -> Iterator[None]:
    """Give one temporary Prefect server to all tests of the session."""
    # Here, so that the many tests without Prefect start without it.
    from prefect.settings import (
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator["RealServer"]:
    """Give one Prefect server in a process of its own to all tests that only need one."""
    from support.runs.real_prefect import RealServer

    with RealServer(tmp_path_factory.mktemp("prefect")) as server:
        yield server
