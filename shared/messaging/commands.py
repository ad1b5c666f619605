"""The command with which a deployment declares the topology before anything runs."""

import click

from shared.config import Secret
from shared.messaging.connections import BROKER_FAULTS, describe_broker, explain_fault
from shared.messaging.topology import declare_topology


def run_topology_command(service: str, broker_url: Secret) -> None:
    """Declare exchanges, queues and bindings, and say so.

    Raises:
        ClickException: the broker is away or refuses us; one line.
    """
    where = describe_broker(broker_url)
    try:
        declare_topology(broker_url)
    except BROKER_FAULTS as fault:
        raise click.ClickException(f"{service}: the broker at {where}: {explain_fault(fault)}") from fault
    click.echo(f"{service}: the broker at {where} has all its queues")
