"""The repositories of a crawl: what the registry's catalogue names, and what the index has besides."""

from collections.abc import Iterator

import structlog

from services.catalog.storage.crawls import Crawl, note_fault
from services.catalog.storage.rounds import list_unlisted, note_listed
from services.catalog.usecases.crawl_reports import CrawlTally
from services.catalog.usecases.crawl_repository import RepositoryCrawler
from services.catalog.usecases.registry import InvalidAnswer
from shared.database import Database
from shared.oci.names import RepositoryName

NOTED_TOGETHER = 50

log = structlog.get_logger(__name__)


class CrawlCatalogue:
    """Names repositories until the crawler is told to stop, and notes which ones the registry has named.

    Args:
        crawl: goes on behind its position.
        tally: counts a catalogue that breaks off.
    """

    def __init__(self, crawl: Crawl, crawler: RepositoryCrawler, tally: CrawlTally, database: Database) -> None:
        self.names_any = crawl.position is not None
        """Whether the registry has named a repository in this crawl."""
        self.is_whole = True
        """Whether its catalogue has not broken off."""
        self._crawl = crawl
        self._crawler = crawler
        self._tally = tally
        self._database = database
        self._named = list[RepositoryName]()

    def list_named(self) -> Iterator[RepositoryName]:
        """Yield what the registry's catalogue names, from where the crawl was broken off.

        Raises:
            RegistryError: it cannot be read, or breaks off before it has named anything.
        """
        try:
            for repository in self._crawler.registry.list_repositories(after=self._crawl.position or ""):
                if self._crawler.stop.is_set():
                    return
                self._named.append(repository)
                self.names_any = True
                if len(self._named) >= NOTED_TOGETHER:
                    self.note()
                yield repository
        except InvalidAnswer as fault:
            if not self.names_any:
                raise
            self._note_break(fault)
        self.note()

    def list_unnamed(self) -> Iterator[RepositoryName]:
        """Yield what the index has and the registry's catalogue has not named."""
        if self._crawler.stop.is_set():
            return
        with self._database.read() as connection:
            names = list(list_unlisted(connection, self._crawl.id, before=self._crawl.started_at))
        for name in names:
            if self._crawler.stop.is_set():
                return
            yield name

    def note(self) -> None:
        """Write down what was named since the last time."""
        if self._named:
            with self._database.write() as connection:
                note_listed(connection, self._named, self._crawl.id)
            self._named.clear()

    def _note_break(self, fault: InvalidAnswer) -> None:
        """Go on with what the index has: a catalogue that stays broken must not end all comparing."""
        log.warning("crawl.catalogue_breaks_off", fault=str(fault))
        self.is_whole = False
        # It counts, and has no name: so nobody takes what was not named for read.
        self._tally.add(failures=1)
        with self._database.write() as connection:
            note_fault(connection, self._crawl.id, str(fault))
