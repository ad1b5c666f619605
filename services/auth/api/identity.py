"""Who sends a request: the ``Authorization`` or ``Portus-Auth`` header, turned into a subject.

Source: RFC 7617 (Basic), RFC 6750 (Bearer); ``Portus-Auth: <username>:<application token>`` is what
scripts written for the Portus API send.
"""

import base64

from flask import g, request

from services.auth.api.services import services
from services.auth.domain.actors import Actor, Origin
from services.auth.domain.errors import BadCredentials, Forbidden
from services.auth.domain.secrets import SecretKind, kind_of
from services.auth.domain.subjects import ANONYMOUS, Subject, SubjectKind
from services.auth.usecases.authenticate import PasswordCredentials
from services.auth.usecases.sessions import resume_session
from shared.api.peers import client_address
from shared.config import Secret

PORTUS_HEADER = "Portus-Auth"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNREADABLE = "The Authorization header cannot be read."


def caller_address() -> str:
    """Return where the person behind the present request is."""
    return client_address(request, services().settings.internal_secret)


def caller_agent() -> str:
    """Return what the client of the present request says that it is, in what a database can hold."""
    return request.headers.get("User-Agent", "").replace("\0", "")


def basic_credentials(header: str | None) -> PasswordCredentials | None:
    """Read an ``Authorization`` header that may only be Basic.

    Raises:
        BadCredentials: it is there and is no Basic header; a broken one never makes anybody anonymous.
    """
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise BadCredentials("This address takes a name and a password (Basic).")
    return _decode(value)


def identify() -> Subject:
    """Return who sends the present request: by access token, by name and secret, or nobody.

    Raises:
        BadCredentials: a credential was sent and is not good.
        TooManyAttempts: too many wrong passwords came before.
    """
    header = request.headers.get("Authorization")
    portus = request.headers.get(PORTUS_HEADER)
    if header is None and portus is None:
        return ANONYMOUS
    if header is None:
        return _authenticate(_portus_credentials(portus or ""))
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        g.session_id = services().access_tokens.verify(Secret(value.strip()))
        return resume_session(g.session_id, keeper=services().keeper)
    return _authenticate(basic_credentials(header))


def require_person() -> None:
    """Let only people pass, auditors only to read, and remember who it is: a ``before_request`` hook.

    Raises:
        BadCredentials: nobody has signed in.
        Forbidden: the caller is no person, shows a credential that is for the registry only, or is
            an auditor who would change something.
    """
    require_reader()
    if subject().auditor and request.method not in _SAFE_METHODS:
        raise Forbidden("An auditor sees everything and changes nothing.")


def require_reader() -> None:
    """Let only people pass, and remember who it is: a ``before_request`` hook for what changes nothing
    but the caller's own affairs.

    Raises:
        BadCredentials, Forbidden: see ``require_person``.
    """
    found = identify()
    if found.kind is SubjectKind.ANONYMOUS:
        raise BadCredentials("Sign in first: send an access token (Bearer) or a name and a password (Basic).")
    if found.kind is not SubjectKind.PERSON:
        raise Forbidden("This account is for the registry and is not a person.")
    if found.narrowing is not None:
        raise Forbidden("This application token is narrowed: it is for the registry only.")
    g.subject = found


def subject() -> Subject:
    """Return the person whom ``require_person`` let pass."""
    found: Subject = g.subject
    return found


def current_session() -> str:
    """Return the id of the session that sends the present request; empty when it is sent without one."""
    session_id: str = g.get("session_id", "")
    return session_id


def name_caller() -> str:
    """Name the same person, as no other caller is named."""
    who = subject()
    # An id can be given again after a deletion, and so can a name.
    return f"{who.kind}/{who.user_id}/{who.username}"


def actor() -> Actor:
    """Return the same person as somebody who changes something."""
    return Actor(subject(), origin())


def origin() -> Origin:
    """Return where the present request comes from."""
    return Origin(caller_address(), g.request_id)


def _authenticate(credentials: PasswordCredentials | None) -> Subject:
    return services().authenticator.authenticate(credentials, address=caller_address()).subject


def _portus_credentials(value: str) -> PasswordCredentials:
    username, colon, secret = value.partition(":")
    if not colon or kind_of(secret) is not SecretKind.APPLICATION_TOKEN:
        raise BadCredentials(f"{PORTUS_HEADER} takes a name and an application token: username:token.")
    return PasswordCredentials(username, Secret(secret))


def _decode(value: str) -> PasswordCredentials:
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except ValueError as fault:
        # No base64, no UTF-8, or not even ASCII.
        raise BadCredentials(_UNREADABLE) from fault
    username, colon, password = text.partition(":")
    if not colon:
        raise BadCredentials(_UNREADABLE)
    return PasswordCredentials(username, Secret(password))
