"""A registry of a few lines, and the events that several of its processes would send of it.

What is done to it is known, so what an index should say in the end is known too, however late, twice
or out of order the events arrive.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from hypothesis import strategies as st

from services.catalog.domain.occurrences import Occurrence
from shared.oci.names import Digest
from tests.support.catalog import delete, digest_of, own, pull, push

REPOSITORIES = ("team/app", "team/other", "top")
TAGS = ("1.0", "2.0", "latest")
DIGESTS = tuple(digest_of(name) for name in "abc")
PROCESSES = 3

_KINDS = (
    *("push", "push", "push", "push by digest", "delete tag", "delete digest", "pull", "pull by digest", "check"),
    *("own push", "own deletion", "own push unmarked"),
)

ASKED_BEFORE_S = 1.5
"""So long before the registry does what we ask for we write down that it happened: others may come in between."""


@dataclass(frozen=True)
class Operation:
    """Something that a client does."""

    kind: str
    repository: str
    tag: str
    digest: Digest
    process: int
    """Which of the registry's processes it comes to; they share one storage, and each has its own queue."""


@dataclass
class ModelRegistry:
    """The registry.

    Args:
        deletes_tags: as 3.x does; 2.8 cannot.
    """

    deletes_tags: bool = True
    tags: dict[str, dict[str, Digest]] = field(default_factory=lambda: defaultdict(dict))
    pulls: Counter[str] = field(default_factory=Counter)
    """GETs by repository."""
    queues: list[list[Occurrence]] = field(default_factory=lambda: [[] for _ in range(PROCESSES)])
    """What each process has to tell, in order."""
    _clock: int = 0

    def do(self, operation: Operation) -> None:
        """Carry an operation out and remember its events."""
        tags, where = self.tags[operation.repository], {"repository": operation.repository}
        match operation.kind:
            case "push":
                tags[operation.tag] = operation.digest
                self._tell(operation, push(operation.tag, operation.digest, self._now(), actor="jane", **where))
            case "own push":
                tags[operation.tag] = operation.digest
                self._tell_twice(operation, lambda at: push(operation.tag, operation.digest, at, **where))
            case "own push unmarked":
                tags[operation.tag] = operation.digest
                self._tell(operation, push(operation.tag, operation.digest, self._now(), actor="portus", **where))
            case "own deletion" if operation.tag in tags:
                self._delete_digest(replace(operation, digest=tags[operation.tag]), by_us=True)
            case "push by digest":
                self._tell(operation, push(None, operation.digest, self._now(), **where))
            case "delete tag" if self.deletes_tags and operation.tag in tags:
                del tags[operation.tag]
                self._tell(operation, delete(self._now(), tag=operation.tag, digest=None, **where))
            case "delete digest":
                self._delete_digest(operation)
            case "pull" | "check" if operation.tag in tags:
                method = "GET" if operation.kind == "pull" else "HEAD"
                self.pulls[operation.repository] += method == "GET"
                digest = tags[operation.tag]
                self._tell(operation, pull(digest, self._now(), tag=operation.tag, method=method, **where))
            case "pull by digest":
                self.pulls[operation.repository] += 1
                self._tell(operation, pull(operation.digest, self._now(), **where))

    def shown(self) -> dict[str, dict[str, Digest]]:
        """Return where every tag points, by repository, without repositories that have none."""
        return {name: dict(tags) for name, tags in self.tags.items() if tags}

    def events(self) -> list[Occurrence]:
        """Return all events in the order in which they happened."""
        return sorted((event for queue in self.queues for event in queue), key=lambda event: event.stamp)

    def _delete_digest(self, operation: Operation, *, by_us: bool = False) -> None:
        # One event with the digest, and one for each tag that pointed there.
        tags, where = self.tags[operation.repository], {"repository": operation.repository}
        gone = [tag for tag, digest in tags.items() if digest == operation.digest]
        if by_us:
            self._tell_twice(operation, lambda at: delete(at, digest=operation.digest, **where))
        else:
            self._tell(operation, delete(self._now(), digest=operation.digest, **where))
        for tag in gone:
            del tags[tag]
            self._tell(operation, delete(self._now(), tag=tag, digest=None, **where))

    def _tell_twice(self, operation: Operation, build: Callable[[float], Occurrence]) -> None:
        now = self._now()
        for at in (now - ASKED_BEFORE_S, now):
            self._tell(operation, own(now, build(at)))

    def _tell(self, operation: Operation, event: Occurrence) -> None:
        self.queues[operation.process].append(event)

    def _now(self) -> int:
        self._clock += 1
        return self._clock


operations = st.builds(
    Operation,
    kind=st.sampled_from(_KINDS),
    repository=st.sampled_from(REPOSITORIES),
    tag=st.sampled_from(TAGS),
    digest=st.sampled_from(DIGESTS),
    process=st.integers(0, PROCESSES - 1),
)


@st.composite
def registries(draw: st.DrawFn, *, most: int = 20) -> ModelRegistry:
    """A registry to which something has happened."""
    registry = ModelRegistry(draw(st.booleans()))
    for operation in draw(st.lists(operations, max_size=most)):
        registry.do(operation)
    return registry


def deliver(events: Sequence[Occurrence], random: Random, *, repeats: int = 2) -> list[Occurrence]:
    """Return events as they may arrive: in any order, some of them again."""
    arriving = list(events) + [random.choice(events) for _ in range(repeats * len(events))] if events else []
    random.shuffle(arriving)
    return arriving
