"""One Prefect server for the modules that only need one to be there."""

from collections.abc import Iterator

import pytest
from support.runs.real_prefect import RealServer


@pytest.fixture(scope="session")
def real_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("prefect")) as server:
        yield server
