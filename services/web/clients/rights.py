"""What the portal asks of `auth` about rights: one decision of the past, and why things are as they are now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from marshmallow import EXCLUDE, Schema, fields, post_load

from services.web.clients.errors import NotAllowed, PeerError
from services.web.clients.peer import Peer, following_part
from services.web.clients.sessions import Visitor

PARTS_OF_HOLDERS = 2


@dataclass(frozen=True, slots=True)
class Decided:
    """One action on one scope, and why it was allowed or refused."""

    scope: str
    action: str
    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PastDecision:
    """One token request, as it was decided."""

    id: str
    at: datetime
    username: str
    """Empty for an anonymous caller."""
    verdict: str
    action: str
    repository: str
    reason: str
    address: str
    client: str
    credential: str
    decided: Sequence[Decided]


@dataclass(frozen=True, slots=True)
class Remedy:
    """One change after which the answer would be yes, and who can make it."""

    change: str
    givers: Sequence[str]


@dataclass(frozen=True, slots=True)
class Present:
    """One action as it would be decided now."""

    action: str
    allowed: bool
    reason: str
    standing: str | None
    paths: Sequence[str]
    remedies: Sequence[Remedy]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What somebody may do to a repository now, and why."""

    username: str
    repository: str
    team: str | None
    visibility: str | None
    present: Sequence[Present]
    owners: Sequence[str]
    administrators: Sequence[str]

    @property
    def allowed(self) -> frozenset[str]:
        """The actions that are allowed."""
        return frozenset(one.action for one in self.present if one.allowed)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One action of one scope, as a token request would be decided."""

    asked: str
    """The scope."""
    action: str
    allowed: bool
    reason: str
    paths: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a token would hold."""

    granted: Sequence[str]
    verdicts: Sequence[Verdict]


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who can, and by which paths."""

    username: str
    kind: str
    paths: Sequence[str]


@dataclass(frozen=True, slots=True)
class WhoCan:
    """One part of the list of those who can."""

    everybody: bool
    signed_in: bool
    holders: Sequence[Holder]
    more: bool


class _ActionSchema(Schema):
    action = fields.String(required=True)
    allowed = fields.Boolean(required=True)
    reason = fields.String(required=True)


class _ScopeSchema(Schema):
    type = fields.String(required=True)
    name = fields.String(required=True)
    actions = fields.List(fields.Nested(_ActionSchema(unknown=EXCLUDE)), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> list[Decided]:
        name = data["name"] if data["type"] == "repository" else f"{data['type']} {data['name']}"
        return [Decided(name, each["action"], each["allowed"], each["reason"]) for each in data["actions"]]


class _DecisionSchema(Schema):
    id = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    subject = fields.Dict(required=True)
    verdict = fields.String(required=True)
    action = fields.String(load_default="")
    repository = fields.String(load_default="")
    reason = fields.String(load_default="")
    address = fields.String(load_default="")
    client = fields.String(load_default="")
    credential = fields.Dict(load_default=dict)
    scopes = fields.List(fields.Nested(_ScopeSchema(unknown=EXCLUDE)), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> PastDecision:
        decided = [one for scope in data.pop("scopes") for one in scope]
        credential = data.pop("credential")
        named = " ".join(filter(None, (credential.get("kind"), credential.get("name"))))
        username = str(data.pop("subject").get("username") or "")
        return PastDecision(**data, username=username, credential=named, decided=decided)


class _PathSchema(Schema):
    standing = fields.String(allow_none=True, load_default=None)
    grant_id = fields.Integer(allow_none=True, load_default=None)
    team = fields.String(load_default="")

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> str:
        if data["grant_id"] is not None:
            through = f" to the team {data['team']}" if data["team"] else ""
            return f"grant {data['grant_id']}{through}"
        return f"{data['standing']} {data['team']}".strip()


class _RemedySchema(Schema):
    change = fields.String(required=True)
    givers = fields.List(fields.String(), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Remedy:
        return Remedy(**data)


class _PresentSchema(_ActionSchema):
    standing = fields.String(allow_none=True, load_default=None)
    paths = fields.List(fields.Nested(_PathSchema(unknown=EXCLUDE)), load_default=list)
    remedies = fields.List(fields.Nested(_RemedySchema(unknown=EXCLUDE)), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Present:
        return Present(**data)


class _ExplanationSchema(Schema):
    subject = fields.Dict(required=True)
    repository = fields.String(required=True)
    namespace = fields.Dict(allow_none=True, load_default=None)
    decisions = fields.List(fields.Nested(_PresentSchema(unknown=EXCLUDE)), required=True)
    owners = fields.List(fields.String(), load_default=list)
    administrators = fields.List(fields.String(), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Explanation:
        namespace = data["namespace"] or {}
        return Explanation(
            username=str(data["subject"].get("username") or ""),
            repository=data["repository"],
            team=namespace.get("team"),
            visibility=namespace.get("visibility"),
            present=data["decisions"],
            owners=data["owners"],
            administrators=data["administrators"],
        )


class _DecidedSchema(Schema):
    action = fields.String(required=True)
    allowed = fields.Boolean(required=True)
    reason = fields.String(load_default="")


class _VerdictSchema(Schema):
    scope = fields.String(required=True)
    actions = fields.List(fields.Nested(_DecidedSchema(unknown=EXCLUDE)), required=True)


class _SimulatedSchema(Schema):
    granted = fields.List(fields.String(), required=True)
    scopes = fields.List(fields.Nested(_VerdictSchema(unknown=EXCLUDE)), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Simulated:
        verdicts = [Verdict(asked["scope"], **one) for asked in data["scopes"] for one in asked["actions"]]
        return Simulated(data["granted"], verdicts)


class _HolderSchema(Schema):
    kind = fields.String(required=True)
    username = fields.String(required=True)
    paths = fields.List(fields.Nested(_PathSchema(unknown=EXCLUDE)), load_default=list)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Holder:
        return Holder(**data)


class _WhoCanSchema(Schema):
    everybody = fields.Boolean(required=True)
    signed_in = fields.Boolean(required=True)
    holders = fields.List(fields.Nested(_HolderSchema(unknown=EXCLUDE)), required=True)


class RightsClient:
    """Asks `auth` about rights.

    Args:
        peer: how it is reached.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def get_decision(self, visitor: Visitor, decision_id: str) -> PastDecision:
        """Return one token request that the visitor may know of.

        Raises:
            NotFound: there is none, or it is not the visitor's to know.
        """
        path = f"/api/v1/decisions/{quote(decision_id, safe='')}"
        response = self._peer.get(path, access_token=visitor.access_token)
        decision: PastDecision = self._peer.load(_DecisionSchema(), response)
        return decision

    def explain(self, visitor: Visitor, repository: str, *, username: str = "") -> Explanation:
        """Return what somebody may do to a repository now.

        Args:
            username: whom it is about; empty: the visitor.

        Raises:
            NotAllowed: the visitor may not ask about others here.
            NotFound: there is no such person or robot.
            RequestRefused: that is no repository name.
        """
        about = {"username": username} if username else {}
        params = {"repository": repository, **about}
        response = self._peer.get("/api/v1/explain", access_token=visitor.access_token, params=params)
        explanation: Explanation = self._peer.load(_ExplanationSchema(), response)
        return explanation

    def simulate(self, visitor: Visitor, scopes: Sequence[str], *, username: str = "") -> Simulated:
        """Return what a token for some scopes would hold; none is issued.

        Args:
            scopes: as a client asks for them: ``repository:team/app:pull,push``.
            username: for whom; empty: for the visitor.

        Raises:
            NotAllowed, NotFound, RequestRefused: as above.
        """
        body = {"scopes": list(scopes), **({"username": username} if username else {})}
        response = self._peer.change("POST", "/api/v1/simulate", body, access_token=visitor.access_token)
        found: Simulated = self._peer.load(_SimulatedSchema(), response)
        return found

    def find_rights(self, visitor: Visitor, repository: str) -> frozenset[str]:
        """Return what the visitor may do to a repository now; nothing while that cannot be told."""
        if visitor.person is None:
            return frozenset()
        try:
            return self.explain(visitor, repository).allowed
        except PeerError:
            return frozenset()

    def find_who_can(self, visitor: Visitor, repository: str, action: str, *, limit: int) -> WhoCan | None:
        """Return the first of those who can; ``None`` when the visitor may not ask that."""
        params: dict[str, object] = {"repository": repository, "action": action, "per_page": limit}
        holders: list[Holder] = []
        # Robots come in a part of their own, behind the people: a first part that is short is not the end.
        for _part in range(PARTS_OF_HOLDERS):
            try:
                response = self._peer.get("/api/v1/who-can", access_token=visitor.access_token, params=params)
            except NotAllowed:
                return None
            found = self._peer.load(_WhoCanSchema(), response)
            holders += found["holders"]
            following = following_part(response)
            if following is None or len(holders) >= limit:
                break
            params["after"] = following
        more = following is not None or len(holders) > limit
        return WhoCan(found["everybody"], found["signed_in"], holders[:limit], more)
