"""What is noted of a token request, and the record that is made of it beside the requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.auth.domain.access import ScopeVerdict
from services.auth.domain.namespaces import namespace_of
from services.auth.domain.records import Verdict, dump_scope, leading_action, leading_scope
from services.auth.usecases.authenticate import Caller


@dataclass(frozen=True, slots=True)
class Client:
    """What the client says of itself; nothing follows from it."""

    user_agent: str = ""
    client_id: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """A token request and what it came to; holds no secret."""

    id: str
    at: datetime
    caller: Caller
    service: str
    """What the registry is called."""
    address: str
    client: Client
    verdict: Verdict
    verdicts: Sequence[ScopeVerdict]
    reason: str = ""
    """Why, where the decisions do not say it."""

    @property
    def weight(self) -> int:
        """How much room it takes: a request may ask for a hundred scopes."""
        return 1 + len(self.verdicts)


def row_of(decided: Decided) -> dict[str, Any]:
    """Return what is kept of a token request, by the columns of ``decisions``; texts are cut at what they hold."""
    caller, subject, client = decided.caller, decided.caller.subject, decided.client
    leading = leading_scope([verdict.scope for verdict in decided.verdicts])
    is_repository = leading is not None and leading.type == "repository"
    return {
        "id": decided.id,
        "at": decided.at,
        "registry_id": caller.registry.id if caller.registry else None,
        "service": plain(decided.service, 255),
        "subject_kind": subject.kind.value,
        "username": subject.username,
        "user_id": subject.user_id,
        "robot_id": subject.robot_id,
        "credential_kind": caller.credential.kind.value,
        "credential_id": caller.credential.id,
        "credential_name": caller.credential.name,
        "address": decided.address[:64],
        "client": plain(client.user_agent, 255),
        "client_id": plain(client.client_id, 64),
        "account": plain(client.account, 255),
        "verdict": decided.verdict.value,
        "action": leading_action(leading)[:64] if leading else "",
        "repository": leading.name[:255] if leading else "",
        "namespace": namespace_of(leading.name)[:255] if leading and is_repository else None,
        "reason": decided.reason[:255],
        "scopes": [dump_scope(subject, verdict, caller.namespaces) for verdict in decided.verdicts],
        "degraded": caller.degraded,
    }


def plain(text: str, length: int) -> str:
    """Return what of a client's text can be stored: printable, and cut."""
    # No database takes half a surrogate pair, and PostgreSQL no NUL.
    printable = text if text.isprintable() else text[:length].encode("unicode_escape").decode()
    return printable[:length]
