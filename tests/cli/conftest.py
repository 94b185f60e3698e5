from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.kit import Bench
from tests.conftest import StartServer


@pytest.fixture
def serve(indiflask_run: StartServer, tmp_path: Path, cleanup: ExitStack) -> Bench:
    return Bench(indiflask_run, tmp_path, cleanup)
