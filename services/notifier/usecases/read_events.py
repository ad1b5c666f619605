"""The event log for those who follow it.

EventsGone         the reader was away for longer than events are kept
NotYetGiven        the reader is ahead of the log
"""

from services.notifier.storage.event_queries import EventFilter, Stretch, find_ends, read_log
from shared.database import Database
from shared.visibility.answers import Visibility
from shared.visibility.permissions import require_caller


class EventsGone(Exception):
    """Events between the reader's last one and the oldest that is kept have been purged.

    Args:
        oldest: the number of the oldest event that is kept.
    """

    def __init__(self, oldest: int) -> None:
        super().__init__(
            f"Events behind that number are not kept any more: the oldest is {oldest}. Start again with "
            f"after=0, and take it that you have missed some."
        )


class NotYetGiven(Exception):
    """There is no event with the reader's number yet.

    Args:
        newest: the greatest number so far.
    """

    def __init__(self, newest: int) -> None:
        super().__init__("The request is not valid.")
        self.errors = {"after": [f"The newest event is {newest}. Was the log restored? Start again with after=0."]}


def read_events(visibility: Visibility, wanted: EventFilter, *, after: int, limit: int, database: Database) -> Stretch:
    """Return the events behind a number that the caller may see.

    Args:
        after: the last number that the caller knows; 0 starts with the oldest that is kept.

    Raises:
        NotSignedIn: nobody reads the log without a name.
        EventsGone, NotYetGiven: see above.
    """
    require_caller(visibility)
    with database.read() as connection:
        ends = find_ends(connection)
        if 0 < after < ends.oldest - 1:
            raise EventsGone(ends.oldest)
        if after > ends.newest:
            raise NotYetGiven(ends.newest)
        return read_log(connection, visibility, wanted, after=after, end=ends.newest, limit=limit)
