"""What a retention rule would do now."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.catalog.domain.retention import Rule, Verdict
from services.catalog.storage.retention import list_places
from services.catalog.usecases.judge_tags import foretell_tags
from shared.clock import Clock
from shared.database import Database
from shared.oci.names import RepositoryName

MAX_SHOWN = 1000
"""Verdicts that a preview shows."""

MAX_PREVIEWED = 1000
"""Repositories that a preview looks at."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with where the tag is."""

    repository: RepositoryName
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would do now."""

    repositories: int
    kept: int
    deleted: int
    verdicts: Sequence[Judged]
    """Those that would go first; ``MAX_SHOWN`` at the most."""
    is_whole: bool
    """Whether every repository was looked at that the rule is about, and every verdict is shown."""


def preview_retention(rule: Rule, namespace: str | None, *, database: Database, clock: Clock, max_tags: int) -> Preview:
    """Return what a rule would do now; nothing is deleted.

    Args:
        namespace: where; ``None``: everywhere.
        max_tags: with more of them a run does not look through a repository.
    """
    with database.read() as connection:
        places = list_places(connection, namespace, after="", limit=MAX_PREVIEWED + 1)
        judged = [
            Judged(place.name, verdict)
            for place in places[:MAX_PREVIEWED]
            if rule.covers(place.name)
            for verdict in foretell_tags(connection, rule, place, now=clock(), max_tags=max_tags)
        ]
    judged.sort(key=lambda one: (not one.verdict.goes, one.repository, one.verdict.tag))
    deleted = sum(one.verdict.goes for one in judged)
    return Preview(
        repositories=len({one.repository for one in judged}),
        kept=len(judged) - deleted,
        deleted=deleted,
        verdicts=judged[:MAX_SHOWN],
        is_whole=len(places) <= MAX_PREVIEWED and len(judged) <= MAX_SHOWN,
    )
