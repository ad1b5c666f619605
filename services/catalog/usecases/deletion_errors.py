"""Why something was not deleted.

DeletionError
├── TagMoved              the tag points elsewhere by now
├── DeletionRefused       the registry refuses; nothing has changed
├── DeletionIncomplete    some of it is gone, some was refused
└── DeletionUnfinished    there was no time for all of it: ask again
"""

from collections.abc import Sequence

from services.catalog.usecases.empty_repository import DeletionFailure

MAX_REPORTED = 100


class DeletionError(Exception):
    """Something was not deleted; the text is for the caller."""


class TagMoved(DeletionError):
    """The tag points elsewhere by now, so that the caller would delete what the caller has not seen."""

    def __init__(self) -> None:
        super().__init__(
            "The tag points at something else by now. Look again, and delete it then if you still want to."
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
