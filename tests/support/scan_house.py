"""A registry that wants tokens, an index of it and a scanner's adapter, for scans."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import func, select

from services.catalog.clients.scanner import ScannerClient
from services.catalog.clients.tokens import RegistryTokens
from services.catalog.domain.scans import DEFAULT_SCANNER
from services.catalog.storage.scan_queries import FINDINGS, WAITING, FindingRow, ScanRow, find_scans, list_findings
from services.catalog.storage.scan_tables import findings, scans
from services.catalog.storage.tables import outbox
from services.catalog.usecases.apply_notifications import apply_notifications
from services.catalog.usecases.plan_scans import ScanPlanner
from services.catalog.usecases.scan_manifests import ManifestScanner, ScanPlan, Turn
from shared.api.paging import ListRequest, PageRequest
from shared.clock import utc_now
from shared.config import Secret
from shared.database import Database
from shared.oci.names import Digest, RepositoryName
from shared.upstream import UpstreamSession
from tests.support.catalog import NOON, delete, envelope_for, push
from tests.support.catalog_clients import ACCOUNT_SECRET, SERVICE, new_client, new_fetcher
from tests.support.images import Descriptor, Pusher
from tests.support.little_token_server import Signer, TokenServer
from tests.support.registry import Registry
from tests.support.scanner_adapter import Adapter
from tests.support.serving import serving

APP, OTHER = "team/app", "team/other"
PERIOD = timedelta(hours=24)


@dataclass
class House:
    """A registry that wants tokens, an index of it, and a scanner."""

    database: Database
    registry_url: str
    tokens: TokenServer
    auth_url: str
    adapter: Adapter
    adapter_url: str
    stack: ExitStack
    ahead: timedelta = timedelta()
    """How far the clock is ahead."""
    stop: Event = field(default_factory=Event)
    numbers: Iterator[int] = field(default_factory=count)
    time_limit: timedelta = timedelta(seconds=20)
    frozen: datetime | None = None
    """The moment at which the clock stands still."""
    patience_s: float = 10
    """How long an answer may take."""

    def clock(self) -> datetime:
        return self.frozen or utc_now() + self.ahead

    def pusher(self, repository: str = APP) -> Pusher:
        token = self.tokens.token(f"repository:{repository}:pull,push,delete")
        return Pusher(self.registry_url, {"Authorization": f"Bearer {token}"})

    def tell(self, *told: Any) -> None:
        fetcher = new_fetcher(new_client(self.registry_url, auth_url=self.auth_url), self.database)
        with_ids = [envelope_for(one) for one in told]
        apply_notifications(with_ids, database=self.database, fetcher=fetcher, clock=self.clock, fetch_budget_s=60)
        fetcher.close()

    def pushed(self, tag: str | None, image: Descriptor, repository: str = APP) -> Digest:
        at, digest = (utc_now() - NOON).total_seconds(), Digest(image["digest"])
        self.tell(push(tag, digest, at, id=f"push-{next(self.numbers)}", repository=repository))
        return digest

    def copy(self, tag: str, image: Descriptor, repository: str) -> None:
        """Have the same image in another repository."""
        token = self.tokens.token_for([f"repository:{APP}:pull", f"repository:{repository}:pull,push"])
        Pusher(self.registry_url, {"Authorization": f"Bearer {token}"}).copy_image(APP, tag, repository)
        self.pushed(tag, image, repository)

    def deleted(self, **what: Any) -> None:
        at = (utc_now() - NOON).total_seconds()
        self.tell(delete(at, id=f"delete-{next(self.numbers)}", **what))

    def image(self, tag: str = "1.0", *, repository: str = APP, **how: Any) -> Digest:
        return self.pushed(tag, self.pusher(repository).image(repository, tag, **how), repository)

    def lose(self, digest: Digest, repository: str = APP) -> None:
        """Take a manifest out of the registry, of which nobody is told."""
        self.pusher(repository).delete(repository, digest)

    def client(self, url: str | None = None, *, kind: type[ScannerClient] = ScannerClient) -> ScannerClient:
        address = url or self.adapter_url
        session = UpstreamSession("The scanner", address, retries=0, read_timeout_s=self.patience_s)
        return kind(session, authorization=Secret("Bearer of-ours"), api_key=Secret("key"))

    def scanner(self, url: str | None = None, *, kind: type[ScannerClient] = ScannerClient) -> ManifestScanner:
        client = self.client(url, kind=kind)
        tokens = RegistryTokens(UpstreamSession("auth", self.auth_url), service=SERVICE, secret=ACCOUNT_SECRET)
        plan = ScanPlan(DEFAULT_SCANNER, self.registry_url, self.time_limit, PERIOD)

        def authorize(repository: RepositoryName) -> Secret:
            return Secret(f"Bearer {tokens.new_token(f'repository:{repository}:pull')}")

        return ManifestScanner(client, authorize, plan, stop=self.stop, database=self.database, clock=self.clock)

    def plan(self) -> None:
        planner = ScanPlanner(DEFAULT_SCANNER, holder="planner", database=self.database, clock=self.clock)
        while planner.plan():
            pass

    def work(self, scanner: ManifestScanner | None = None) -> list[Turn]:
        """Plan, and scan what is due until nothing is."""
        self.plan()
        scanner = scanner or self.scanner()
        turns: list[Turn] = []
        while (turn := scanner.scan_next(0, "worker")) is not Turn.IDLE:
            turns.append(turn)
        return turns

    def scan(self, digest: Digest) -> ScanRow:
        with self.database.read() as connection:
            return find_scans(connection, [digest]).get(digest, WAITING)

    def rows(self, digest: Digest) -> Sequence[FindingRow]:
        asked = ListRequest(PageRequest(per_page=100), FINDINGS.order, {})
        with self.database.read() as connection:
            return list_findings(connection, self.scan(digest), asked).rows

    def found(self, digest: Digest) -> list[str]:
        return [one.name for one in self.rows(digest)]

    def told(self) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            envelopes = connection.scalars(select(outbox.c.envelope).order_by(outbox.c.sequence)).all()
        return [one["data"] for one in envelopes if one["type"] == "catalog.scan.finished.v1"]

    def count_rows(self) -> tuple[int, int]:
        """Return how many scans and findings are kept."""
        with self.database.read() as connection:
            counted = [connection.scalar(select(func.count()).select_from(table)) for table in (scans, findings)]
        return counted[0] or 0, counted[1] or 0


@contextmanager
def scan_house(database: Database, registry_factory: Callable[..., Registry], folder: Path) -> Iterator[House]:
    """Set one up around an index.

    Args:
        folder: for what the registry has to trust.
    """
    tokens = TokenServer(Signer(), ACCOUNT_SECRET.reveal(), SERVICE)
    adapter = Adapter(authorization="Bearer of-ours", api_key="key")
    with ExitStack() as stack:
        auth_url = stack.enter_context(serving(tokens.app()))
        config = tokens.registry_config(f"{auth_url}/v2/token", folder / "ca.pem")
        adapter_url = stack.enter_context(serving(adapter.app()))
        url = registry_factory(config).url
        yield House(database, url, tokens, auth_url, adapter, adapter_url, stack)
