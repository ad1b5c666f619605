"""The catalogue's clients, wired for tests."""

from collections.abc import Collection

from services.catalog.clients.registry import RegistryClient
from services.catalog.clients.tokens import RegistryTokens
from services.catalog.domain.errands import Errand
from services.catalog.storage.manifests import list_fetched
from services.catalog.usecases.fetch_manifests import ManifestFetcher
from shared.clock import Clock, utc_now
from shared.config import Secret
from shared.database import Database
from shared.oci.names import Digest
from shared.upstream import UpstreamSession
from tests.support.ports import deserted_port

SERVICE = "portus-registry"
ACCOUNT_SECRET = Secret("the-secret-of-the-account")
ERRAND = Errand("portus-00000000-0000-0000-0000-000000000001", "jane")
"""What is done in a registry by tests."""


def new_client(registry_url: str, *, auth_url: str = "http://127.0.0.1:9", clock: Clock = utc_now) -> RegistryClient:
    """Return a client of a registry; without an auth, for a registry that wants no tokens."""
    auth = UpstreamSession("auth", auth_url, retries=0)
    tokens = RegistryTokens(auth, service=SERVICE, secret=ACCOUNT_SECRET)
    return RegistryClient(UpstreamSession("registry", registry_url, retries=0), tokens, clock=clock)


def nowhere() -> RegistryClient:
    """Return a client of a registry that is away."""
    return new_client(f"http://127.0.0.1:{deserted_port()}")


def new_fetcher(client: RegistryClient, database: Database) -> ManifestFetcher:
    """Return what fetches manifests that an index does not have."""

    def known(digests: Collection[Digest]) -> set[Digest]:
        with database.read() as connection:
            return list_fetched(connection, digests)

    return ManifestFetcher(client, known)
