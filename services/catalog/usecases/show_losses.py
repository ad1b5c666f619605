"""Loss windows, for those who oversee."""

from services.catalog.storage.loss_queries import LossWindow, WholeLossWindow, find_window, list_windows
from services.catalog.usecases.not_found import NotFound
from shared.api.paging import ListRequest, Page
from shared.api.slices import Slice
from shared.database import Database
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_overseer


class LossWindowNotFound(NotFound):
    """There is no such window, or it was closed long ago."""

    def __init__(self) -> None:
        super().__init__("There is no such loss window.")


def list_loss_windows(
    visibility: Visibility, asked: ListRequest, *, database: Database
) -> Page[LossWindow] | Slice[LossWindow]:
    """Return a part of the windows.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
    """
    require_overseer(visibility)
    with database.read() as connection:
        return list_windows(connection, asked)


def get_loss_window(visibility: Visibility, window: int, *, database: Database) -> WholeLossWindow:
    """Return a window with the repositories that it concerns.

    Raises:
        NotSignedIn, NotAllowed: the caller is no administrator or auditor.
        LossWindowNotFound: see above.
    """
    require_overseer(visibility)
    with database.read() as connection:
        found = find_window(connection, window)
    if found is None:
        raise LossWindowNotFound
    return found
