"""What the views are given."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.web.clients.access import AccessClient
from services.web.clients.administration import AdministrationClient
from services.web.clients.artifacts import ArtifactsClient
from services.web.clients.auth import AuthClient
from services.web.clients.catalog import CatalogClient
from services.web.clients.content import ContentClient
from services.web.clients.me import MeClient
from services.web.clients.places import NamespacesClient, TeamsClient
from services.web.clients.registries import RegistriesClient
from services.web.clients.retention import RetentionClient
from services.web.clients.rights import RightsClient
from services.web.clients.scans import ScansClient
from services.web.clients.sessions import Sessions
from services.web.clients.statistics import StatisticsClient
from services.web.clients.sync import SyncClient
from services.web.clients.webhooks import WebhooksClient
from services.web.pages.cookies import Cookies
from shared.api.health import ReadinessCheck
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Portal:
    """The parts that `app` wires."""

    auth: AuthClient
    catalog: CatalogClient
    artifacts: ArtifactsClient
    scans: ScansClient
    content: ContentClient
    rights: RightsClient
    namespaces: NamespacesClient
    teams: TeamsClient
    access: AccessClient
    me: MeClient
    administration: AdministrationClient
    registries: RegistriesClient
    sync: SyncClient
    webhooks: WebhooksClient
    retention: RetentionClient
    statistics: StatisticsClient
    sessions: Sessions
    cookies: Cookies
    probes: Mapping[str, ReadinessCheck]
    """By part: what is wrong with it at the moment, or ``None``."""
    clock: Clock
    registry_host: str
    """The registry as people type it."""
    anonymous_browsing: bool
    """Whether people who are not signed in see public repositories."""
