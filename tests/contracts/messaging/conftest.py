import pytest

from shared.config import Secret
from shared.messaging.topology import declare_topology


@pytest.fixture
def broker(broker_url: Secret) -> Secret:
    """A broker with the topology declared, once per transport."""
    declare_topology(broker_url)
    return broker_url
