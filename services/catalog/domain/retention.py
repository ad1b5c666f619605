"""Which tags a retention rule lets go, and why each goes or stays.

A rule looks at the tags of one repository at a time. What it does not name stays, and so does what is
among the newest that it keeps, what is too young, and what was pulled lately. Nothing here deletes: a tag
that goes is deleted alone, so that a digest that another tag or an index needs stays whatever a rule says.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from services.catalog.domain.globs import is_covered
from services.catalog.domain.labels import Labels
from services.catalog.domain.versions import version_key
from shared.oci.names import Digest, RepositoryName, Tag

ABOUT_NOTHING = "about an image that an earlier run has deleted"
"""Why a signature goes that could not be deleted with its image."""


TOO_LARGE = "alone because the repository has too many tags to look for what else leads to its image"
UNSEEN = "alone because it could not be seen what else leads to its image"


class Newest(StrEnum):
    """Which tags count as the newest."""

    TIME = "time"
    """Those that were pushed, or seen first, last."""
    VERSION = "version"
    """Those with the highest version; what is no version comes after all that are."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What may go. At least one of ``keep_newest``, ``older_than`` and ``unpulled_for`` says something.

    Args:
        repositories, tags: globs; a tag is looked at when one of each covers it.
        except_tags: globs; what one of them covers stays.
        tag_pattern: a regular expression that is looked for anywhere in the tag; only the operator can give one.
        keep_newest: so many of the tags that are looked at stay in each repository.
        older_than: what was pushed since then stays.
        unpulled_for: what was pulled since then stays.
        labels: only images with one of these labels are looked at: key, and value unless it is ``None``; an
            index when each of its images has one.
        except_labels: images with one of these stay; an index when any of its images has one.
    """

    keep_newest: int | None = None
    older_than: timedelta | None = None
    unpulled_for: timedelta | None = None
    newest: Newest = Newest.TIME
    repositories: Sequence[str] = ("*",)
    tags: Sequence[str] = ("*",)
    except_tags: Sequence[str] = ()
    tag_pattern: str | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    except_labels: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        """Whether anything but the name decides."""
        return not (self.keep_newest is None and self.older_than is None and self.unpulled_for is None)

    @property
    def label_keys(self) -> Collection[str]:
        """Of which labels it has to be known what they say."""
        return self.labels.keys() | self.except_labels.keys()

    def covers(self, repository: RepositoryName) -> bool:
        """Tell whether a repository is looked at."""
        return is_covered(self.repositories, repository)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tag, as far as retention is concerned."""

    tag: Tag
    digest: Digest
    pushed_at: datetime
    """Or seen first, when nobody told us of the push."""
    pulled_at: datetime | None
    images: Collection[Labels] | None = None
    """What each image says that the tag leads to; ``None``: not all of that is known."""
    id: int = 0
    """Of the tag."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a tag, and why."""

    id: int
    tag: Tag
    digest: Digest
    goes: bool
    reason: str


def judge(rule: Rule, candidates: Iterable[Candidate], *, now: datetime) -> Sequence[Verdict]:
    """Judge the tags of one repository, by name."""
    everything = list(candidates)
    newest = _find_newest(rule, [one for one in everything if _why_left_alone(rule, one) is None])
    verdicts = [_judge(rule, one, newest, now) for one in everything]
    return sorted(verdicts, key=lambda verdict: verdict.tag)


def _judge(rule: Rule, one: Candidate, newest: Mapping[Tag, int], now: datetime) -> Verdict:
    kept = _why_left_alone(rule, one) or _why_kept(rule, one, newest, now)
    return Verdict(one.id, one.tag, one.digest, goes=kept is None, reason=kept or _why_it_goes(rule, one, now))


def _why_left_alone(rule: Rule, one: Candidate) -> str | None:
    """Return why a rule does not look at a tag."""
    if not is_covered(rule.tags, one.tag):
        return "the rule is not about tags of this name"
    if rule.tag_pattern is not None and re.search(rule.tag_pattern, one.tag) is None:
        return "the rule is not about tags of this name"
    if is_covered(rule.except_tags, one.tag):
        return "its name is excepted"
    return _why_labels_keep(rule, one.images) if rule.label_keys else None


def _why_labels_keep(rule: Rule, images: Collection[Labels] | None) -> str | None:
    # What was not read may hold the very label that protects it.
    if images is None:
        return "its labels are not known yet"
    if rule.labels and not all(_has_one(rule.labels, image) for image in images):
        return "the rule is not about images with these labels"
    if any(_has_one(rule.except_labels, image) for image in images):
        return "a label of it is excepted"
    return None


def _why_kept(rule: Rule, one: Candidate, newest: Mapping[Tag, int], now: datetime) -> str | None:
    if one.tag in newest:
        return f"it is number {newest[one.tag]} of the newest {rule.keep_newest}"
    if rule.older_than is not None and now - one.pushed_at < rule.older_than:
        return f"it is younger than {_days(rule.older_than)}"
    if rule.unpulled_for is not None and one.pulled_at and now - one.pulled_at < rule.unpulled_for:
        return f"it was pulled within {_days(rule.unpulled_for)}"
    return None


def _why_it_goes(rule: Rule, one: Candidate, now: datetime) -> str:
    reasons = []
    if rule.keep_newest is not None:
        reasons.append(f"not among the newest {rule.keep_newest}")
    if rule.older_than is not None:
        reasons.append(f"{_days(now - one.pushed_at)} old")
    if rule.unpulled_for is not None:
        reasons.append(f"not pulled for {_days(now - one.pulled_at)}" if one.pulled_at else "never pulled")
    return ", ".join(reasons)


def _find_newest(rule: Rule, looked_at: Sequence[Candidate]) -> Mapping[Tag, int]:
    if not rule.keep_newest:
        return {}
    ordered = sorted(looked_at, key=lambda one: (one.pushed_at, one.tag), reverse=True)
    if rule.newest is Newest.VERSION:
        ordered = sorted(ordered, key=lambda one: version_key(one.tag), reverse=True)
    return {one.tag: number for number, one in enumerate(ordered[: rule.keep_newest], 1)}


def _has_one(wanted: Mapping[str, str | None], labels: Labels) -> bool:
    return any(key in wanted and wanted[key] in (None, value) for key, value in labels)


def _days(span: timedelta) -> str:
    return "1 day" if span.days == 1 else f"{span.days} days"


def check_pattern(pattern: str) -> None:
    """Check the regular expression that the operator gives.

    Raises:
        ValueError: it is none.
    """
    try:
        re.compile(pattern)
    except re.error as fault:
        raise ValueError(f"is no regular expression: {fault}") from fault
