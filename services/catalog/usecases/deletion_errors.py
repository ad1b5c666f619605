"""Why something was not deleted.

DeletionError
├── TagMoved              the tag points elsewhere by now
├── MoreLeadsToIt         more would lose its manifest than the index knows
├── DeletionRefused       the registry refuses; nothing has changed
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
            f"Nothing was deleted: {named} in the registry leads to this manifest, too, and the index does not know "
            "that yet. The repository is compared with the registry now: look again in a few minutes."
        )


class DeletionRefused(DeletionError):
    """The registry refuses."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was deleted: {reason}.")


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
