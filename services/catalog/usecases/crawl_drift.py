"""What a crawl finds to differ between index and registry: it is filed, and closed once it is so no more."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from services.catalog.domain.drift import LEFT_BY_LOSSES, PUT_RIGHT, Finding, Kind
from services.catalog.storage.crawl_results import drop_results
from services.catalog.storage.crawls import Crawl
from services.catalog.storage.drift import close_removed, close_resolved, count_drift, file_findings
from services.catalog.storage.repositories import lock_repositories
from services.catalog.storage.rounds import list_namespaces, list_overdue
from services.catalog.usecases.crawl_plans import CrawlPlan
from services.catalog.usecases.crawl_reports import CrawlTally
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.kept_lease import KeptLease
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName, Tag, split_namespace
from shared.upstream import UpstreamError

log = structlog.get_logger(__name__)


class CrawlDrift:
    """The differences that one crawl files.

    Args:
        crawl: that files them.
        crawler: takes out of the index what is gone from the registry.
        plan: says until when every tag was to be looked at, and whom to ask for namespaces.
        lease: the crawl's; what is filed is filed under it.
        tally: counts them.
    """

    def __init__(
        self,
        crawl: Crawl,
        crawler: RepositoryCrawler,
        plan: CrawlPlan,
        lease: KeptLease,
        tally: CrawlTally,
        database: Database,
        clock: Clock,
    ) -> None:
        self._crawl = crawl
        self._crawler = crawler
        self._plan = plan
        self._lease = lease
        self._tally = tally
        self._database = database
        self._clock = clock

    def file(
        self, repository: RepositoryName, findings: Sequence[Finding], *, seen_at: datetime | None, removes: bool
    ) -> None:
        """File what was found in a repository.

        Args:
            seen_at: see :meth:`RepositoryCrawler.forget`.
            removes: whether what an earlier crawl did not find in the registry either is taken out of the index.
        """
        namespace = split_namespace(repository).namespace
        again = self._file(repository, [replace(finding, namespace=namespace) for finding in findings])
        self._tally.add(drift=len(findings))
        if again and seen_at and removes:
            self._tally.add(removed=self._crawler.forget(repository, again, seen_at=seen_at))
            with self._database.write() as connection:
                close_removed(connection, repository, again, now=self._clock())

    def finish(self) -> None:
        """File what is known at the end only, and close what was not found again."""
        self._file_overdue()
        unasked = self._file_orphans()
        self._count()
        uncertain = self._tally.find_uncertain()
        if uncertain is None:
            return
        with self._database.write() as connection:
            close_resolved(
                connection,
                self._crawl.id,
                started_at=self._crawl.started_at,
                unread=uncertain,
                unasked=unasked,
                now=self._clock(),
            )

    def _file(self, repository: RepositoryName, findings: Sequence[Finding]) -> Sequence[Tag]:
        """Return the tags among them that were not found in the registry by an earlier crawl either."""
        with self._database.write() as connection:
            self._lease.hold(connection)
            if any(finding.kind is Kind.GHOST_REPOSITORY for finding in findings):
                # It is listed among the others, also when nothing was ever seen in it.
                lock_repositories(connection, [repository], now=self._clock())
            again = file_findings(connection, findings, crawl=self._crawl.id, now=self._clock())
            # Whoever goes on after a crash must not file them twice.
            drop_results(connection, self._crawl.id, [repository])
        return again

    def _file_overdue(self) -> None:
        """File the repositories of which every tag was to be looked at by now, and that could not be read."""
        before = self._clock() - self._plan.verify_within
        with self._database.read() as connection:
            parts = list(list_overdue(connection, before=before))
        for names in parts:
            self._file_alone(
                [Finding(Kind.UNVERIFIED_REPOSITORY, name, namespace=split_namespace(name).namespace) for name in names]
            )

    def _file_orphans(self) -> Collection[Kind]:
        """File the namespaces that nobody has made; return the kinds of differences that were not to be learnt."""
        if self._plan.unknown_namespaces is None:
            return [Kind.ORPHAN_NAMESPACE]
        with self._database.read() as connection:
            names = list(list_namespaces(connection))
        try:
            unknown = self._plan.unknown_namespaces(names)
        except UpstreamError as fault:
            log.warning("crawl.namespaces_unknown", fault=str(fault))
            return [Kind.ORPHAN_NAMESPACE]
        self._file_alone([Finding(Kind.ORPHAN_NAMESPACE, None, namespace=name) for name in sorted(unknown)])
        return []

    def _file_alone(self, findings: Sequence[Finding]) -> None:
        with self._database.write() as connection:
            file_findings(connection, findings, crawl=self._crawl.id, now=self._clock())

    def _count(self) -> None:
        """Count what was put right by those, too, who were killed before they could tell it."""
        with self._database.read() as connection:
            found = count_drift(connection, self._crawl.id)
        repaired = max(self._tally.report.repaired, sum(found.get(kind, 0) for kind in PUT_RIGHT))
        left_open = sum(found.get(kind, 0) for kind in LEFT_BY_LOSSES)
        self._tally.update(drift=sum(found.values()), repaired=repaired, left_open=left_open)
