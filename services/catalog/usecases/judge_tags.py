"""What a retention rule says of the tags of a repository."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from services.catalog.domain.retention import TOO_LARGE, Newest, Rule, Verdict, judge
from services.catalog.storage.deletion_queries import count_tags
from services.catalog.storage.retention import Place, list_candidates


def load_terms(terms: Mapping[str, Any]) -> Rule:
    """Read what a rule says."""
    return Rule(
        keep_newest=terms.get("keep_newest"),
        older_than=_days(terms.get("older_than_days")),
        unpulled_for=_days(terms.get("unpulled_days")),
        newest=Newest(terms.get("newest", Newest.TIME)),
        repositories=terms.get("repositories", ["*"]),
        tags=terms.get("tags", ["*"]),
        except_tags=terms.get("except_tags", []),
        tag_pattern=terms.get("tag_pattern"),
        labels=terms.get("labels", {}),
        except_labels=terms.get("except_labels", {}),
    )


def _days(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


def judge_tags(connection: Connection, rule: Rule, place: Place, *, now: datetime) -> Sequence[Verdict]:
    """Return a verdict for each tag of a repository that the rule is about."""
    return judge(rule, list_candidates(connection, place.id, label_keys=rule.label_keys), now=now)


def foretell_tags(
    connection: Connection, rule: Rule, place: Place, *, now: datetime, max_tags: int
) -> Sequence[Verdict]:
    """Return the same, and say of each tag that would go alone because a run does not look through so many."""
    verdicts = judge_tags(connection, rule, place, now=now)
    if count_tags(connection, place.id) <= max_tags:
        return verdicts
    return [replace(one, reason=f"{one.reason}, {TOO_LARGE}") if one.goes else one for one in verdicts]
