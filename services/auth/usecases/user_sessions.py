"""Where a person is signed in, for themselves and for who looks after people."""

from services.auth.domain.actors import Actor
from services.auth.domain.audit import Ref
from services.auth.domain.errors import Forbidden, NotFound
from services.auth.domain.subjects import Subject
from services.auth.storage.sessions import SessionView, delete_sessions_of, list_sessions
from services.auth.storage.users import UserView, find_user
from services.auth.usecases.audit import audited
from services.auth.usecases.own_account import note_ended
from shared.api.paging import ListRequest, Page
from shared.clock import Clock
from shared.database import Database


def show_sessions_of(
    subject: Subject, user_id: int, request: ListRequest, *, session: str, database: Database, clock: Clock
) -> Page[SessionView]:
    """Return a page of a person's sessions, to themselves, administrators and auditors.

    Args:
        session: id of the one that asks; empty when it is asked without one.

    Raises:
        Forbidden: to anybody else, whether or not there is such a person.
        NotFound: there is no such account.
    """
    if not (subject.administrator or subject.auditor or subject.user_id == user_id):
        raise Forbidden("Only the person, administrators and auditors may see sessions.")
    with database.read() as connection:
        _get(find_user(connection, user_id))
        return list_sessions(connection, user_id, request, current=session, now=clock())


def end_sessions_of(
    actor: Actor, user_id: int, *, session_id: str | None = None, database: Database, clock: Clock
) -> None:
    """End a person's sessions, as that person or an administrator; their tokens are worthless at once.

    Args:
        session_id: of the one that is meant; ``None``: all.

    Raises:
        Forbidden: the caller is neither, whether or not there is such a person.
        NotFound: there is no such account, or it has no such session.
    """
    subject = actor.subject
    if not (subject.administrator or subject.user_id == user_id):
        raise Forbidden("Only the person and administrators may end sessions.")
    with database.write() as connection, audited(connection, actor, clock) as record:
        user = _get(find_user(connection, user_id))
        ended = delete_sessions_of(connection, user_id, only=session_id)
        if session_id is not None and not ended:
            raise NotFound("session")
        note_ended(record, Ref(user.id, user.username), ended)


def _get(user: UserView | None) -> UserView:
    if user is None:
        raise NotFound("user")
    return user
