"""Why something was not deleted.

DeletionError
├── TagMoved              the tag points elsewhere by now
├── MoreLeadsToIt         more would lose its manifest than the index knows
├── DeletionRefused       the registry refuses; nothing has changed
├── ReferrersLeft         it is gone, and something that was about it is not
├── DeletionIncomplete    some of it is gone, some was refused
└── DeletionUnfinished    there was no time for all of it: ask again
"""

from collections.abc import Collection, Sequence

from services.catalog.usecases.empty_repository import DeletionFailure
from shared.oci.names import Digest, Tag

MAX_REPORTED = 100
MAX_NAMED = 10


class DeletionError(Exception):
    """Something was not deleted; the text is for the caller."""


class TagMoved(DeletionError):
    """The tag points elsewhere by now, so that the caller would delete what the caller has not seen."""

    def __init__(self) -> None:
        super().__init__(
            "The tag points at something else by now. Look again, and delete it then if you still want to."
        )


class MoreLeadsToIt(DeletionError):
    """Tags or indexes lead to the manifest of which no notification came, so that the caller has not seen them.

    Args:
        tags: that lead to it, by themselves or by an index.
        indexes: that hold it.
    """

    def __init__(self, tags: Collection[Tag], indexes: Collection[Digest]) -> None:
        named = ", ".join([*tags][:MAX_NAMED] or [*indexes][:MAX_NAMED])
        super().__init__(
            f"In the registry {named} leads to this manifest, too, and the index does not know that yet. Nothing was "
            "deleted, and the repository is read anew: look again in a few minutes."
        )


class DeletionRefused(DeletionError):
    """The registry refuses."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was deleted: {reason}.")


class ReferrersLeft(DeletionError):
    """A manifest is gone, and tags that were about it are not."""

    def __init__(self, failures: Sequence[DeletionFailure]) -> None:
        named = ", ".join(str(failure.tag) for failure in failures[:MAX_NAMED])
        super().__init__(
            f"It is deleted, but tags that were about it could not be: {named}. Delete them by themselves."
        )
        self.errors = {str(failure.tag): [failure.reason] for failure in failures[:MAX_REPORTED]}
        self.tags = [failure.tag for failure in failures if failure.tag]


class DeletionIncomplete(DeletionError):
    """Some of a repository is gone and some was refused."""

    def __init__(self, failures: Sequence[DeletionFailure]) -> None:
        super().__init__("Not everything could be deleted. What is gone is gone; ask again for the rest.")
        self.errors = {failure.tag or "repository": [failure.reason] for failure in failures[:MAX_REPORTED]}


class DeletionUnfinished(DeletionError):
    """There was no time for all of it."""

    def __init__(self) -> None:
        super().__init__("There is more to delete than there was time for. Ask again to go on.")
        self.headers = {"Retry-After": "0"}
