"""Who sends a request: the ``Authorization`` header, turned into a subject.

Source: RFC 7617 (Basic), RFC 6750 (Bearer).
"""

import base64
import binascii

from flask import g, request

from services.auth.api.services import services
from services.auth.domain.actors import Actor, Origin
from services.auth.domain.errors import BadCredentials, Forbidden
from services.auth.domain.subjects import ANONYMOUS, Subject, SubjectKind
from services.auth.usecases.authenticate import PasswordCredentials
from services.auth.usecases.sessions import resume_session
from shared.api.peers import client_address
from shared.config import Secret

_UNREADABLE = "The Authorization header cannot be read."


def caller_address() -> str:
    """Return where the person behind the present request is."""
    return client_address(request, services().settings.internal_secret)


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
    """Return who sends the present request: by access token, by password, or nobody.

    Raises:
        BadCredentials: a credential was sent and is not good.
        TooManyAttempts: too many wrong passwords came before.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return ANONYMOUS
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        session_id = services().access_tokens.verify(Secret(value.strip()))
        return resume_session(session_id, keeper=services().keeper)
    return services().authenticator.authenticate(basic_credentials(header), address=caller_address()).subject


def require_person() -> None:
    """Let only people pass, and remember who it is: a ``before_request`` hook.

    Raises:
        BadCredentials: nobody has signed in.
        Forbidden: the internal account reads the registry and does nothing else.
    """
    found = identify()
    if found.kind is SubjectKind.ANONYMOUS:
        raise BadCredentials("Sign in first: send an access token (Bearer) or a name and a password (Basic).")
    if found.kind is SubjectKind.INTERNAL:
        raise Forbidden("The internal account is not a person.")
    g.subject = found


def subject() -> Subject:
    """Return the person whom ``require_person`` let pass."""
    found: Subject = g.subject
    return found


def actor() -> Actor:
    """Return the same person as somebody who changes something."""
    return Actor(subject(), origin())


def origin() -> Origin:
    """Return where the present request comes from."""
    return Origin(caller_address(), g.request_id)


def _decode(value: str) -> PasswordCredentials:
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as fault:
        raise BadCredentials(_UNREADABLE) from fault
    username, colon, password = text.partition(":")
    if not colon:
        raise BadCredentials(_UNREADABLE)
    return PasswordCredentials(username, Secret(password))
