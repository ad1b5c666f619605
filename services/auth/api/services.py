"""What the views are given; put together in ``app``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from services.auth.settings import Settings
from services.auth.signing.access_tokens import AccessTokens
from services.auth.signing.keyring import Keyring
from services.auth.signing.registry_tokens import RegistryTokenSigner
from services.auth.signing.watched_authority import WatchedAuthority
from services.auth.usecases.authenticate import Authenticator
from services.auth.usecases.background import Background
from services.auth.usecases.catalog import Catalog
from services.auth.usecases.issue_token import Issuing
from services.auth.usecases.passwords import Passwords
from services.auth.usecases.registries import Answer, Probe
from services.auth.usecases.sessions import SessionKeeper
from services.auth.usecases.write_notes import Note
from shared.api.checkups import Checkup
from shared.clock import Clock
from shared.database import Database

_EXTENSION = "portus-auth"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a view may hand to a use case."""

    settings: Settings
    database: Database
    clock: Clock
    passwords: Passwords
    authenticator: Authenticator
    authority: WatchedAuthority
    keyring: Keyring
    signer: RegistryTokenSigner
    access_tokens: AccessTokens
    keeper: SessionKeeper
    issuing: Issuing
    catalog: Catalog
    probe_registry: Probe
    probe_first_registry: Callable[[], Answer]
    """Asks the registry that the environment names, where it is reached."""
    background: Background[Note]
    checkup: Checkup


def install_services(app: Flask, services: Services) -> None:
    """Give an application its services."""
    app.extensions[_EXTENSION] = services


def services() -> Services:
    """Return the services of the application that answers the present request."""
    return cast(Services, current_app.extensions[_EXTENSION])
