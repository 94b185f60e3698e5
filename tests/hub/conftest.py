import pytest

from indiflask.hub import Hub
from tests.hub.kit import BLOB, End, number


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def driver(hub: Hub) -> End:
    """It owns D with N and B."""
    driver = End(hub, "driver", owner=True)
    driver.say(number(), BLOB)
    driver.take()
    return driver
