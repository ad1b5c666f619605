"""`auth` and `catalog` as the portal sees them: one small HTTP server that answers the contract's JSON.

It is a server and no mock: the portal speaks to it over a socket, with its own client code. The
tests of the whole stack put the real services in its place.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from shared.api.paging import Page, PageQuery, PageRequest, set_page_headers
from shared.api.peers import client_address
from shared.api.problems import Problem, problem_response
from shared.api.requests import register_request_hooks
from shared.config import Secret
from shared.oci.media_types import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_OF_CATALOG = ("/api/v1/repositories", "/api/v1/freshness", "/api/v1/search")
INTERNAL_SECRET = Secret("the-secret-between-peers")
PASSWORD = "correct horse battery"


def digest_of(letter: str) -> str:
    """Return a well-formed digest that is easy to tell from others."""
    return "sha256:" + (letter * 64)[:64]


def make_platform(os: str = "linux", architecture: str = "amd64", variant: str | None = None) -> dict[str, Any]:
    return {
        "os": os,
        "architecture": architecture,
        "variant": variant,
        "digest": digest_of("b"),
        "size_bytes": 3_500_000,
    }


def make_tag(name: str = "latest", *, letter: str = "a", minutes_ago: int = 3, **changes: Any) -> dict[str, Any]:
    tag = {
        "id": 1,
        "name": name,
        "digest": digest_of(letter),
        "media_type": OCI_MANIFEST,
        "artifact_type": OCI_CONFIG,
        "size_bytes": 12_900_000,
        "platforms": [make_platform()],
        "pushed_at": (NOW - timedelta(minutes=minutes_ago)).isoformat(),
        "pushed_by": "jane",
        "pulled_at": None,
        "pulls": 0,
        "known": True,
    }
    return {**tag, **changes}


def make_index_tag(name: str, *architectures: str, **changes: Any) -> dict[str, Any]:
    platforms = [make_platform(architecture=architecture) for architecture in architectures]
    return make_tag(name, media_type=OCI_INDEX, artifact_type=None, platforms=platforms, **changes)


def make_artifact(letter: str = "a", **changes: Any) -> dict[str, Any]:
    """Return a manifest of an image with two layers."""
    layers = [
        {"digest": digest_of("1"), "size_bytes": 3_000_000, "media_type": None, "created_by": "ADD rootfs.tar /"},
        {"digest": digest_of("2"), "size_bytes": 1_000_000, "media_type": None, "created_by": "RUN make"},
    ]
    artifact = {
        "digest": digest_of(letter),
        "media_type": OCI_MANIFEST,
        "artifact_type": OCI_CONFIG,
        "size_bytes": 4_000_000,
        "platform": {"os": "linux", "architecture": "amd64", "variant": None},
        "pushed_at": (NOW - timedelta(minutes=3)).isoformat(),
        "pushed_by": "jane",
        "first_seen_at": (NOW - timedelta(minutes=3)).isoformat(),
        "pulled_at": None,
        "pulls": 7,
        "known": True,
        "readable": True,
        "subject": None,
        "annotations": {},
        "children": [],
        "layers": layers,
        "config": None,
        "indexes": [],
        "tags": ["latest"],
        "referrers": 0,
    }
    return {**artifact, **changes}


def make_period(letter: str, *, days_ago: int, end: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return what a tag pointed at for a day, or since then if it did not end."""
    period = {
        "digest": digest_of(letter),
        "since": (NOW - timedelta(days=days_ago)).isoformat(),
        "until": (NOW - timedelta(days=days_ago - 1)).isoformat() if end else None,
        "pushed_by": "jane",
        "is_witnessed": True,
        "end": end,
        "ended_by": "olga" if end else None,
    }
    return {**period, **changes}


@dataclass
class Repository:
    """A repository of the stub; ``public`` ones are shown to everybody."""

    full_name: str
    tags: Sequence[Mapping[str, Any]] = ()
    public: bool = False
    pulls: int = 41
    id: int = 0

    def dump(self) -> dict[str, Any]:
        namespace, slash, rest = self.full_name.partition("/")
        return {
            "id": self.id,
            "name": rest if slash else self.full_name,
            "full_name": self.full_name,
            "namespace": {"id": None, "name": namespace if slash else "registry.test:5000"},
            "registry_host": "registry.test:5000",
            "tags_count": len(self.tags),
            "size_bytes": sum(tag["size_bytes"] or 0 for tag in self.tags),
            "pulls": self.pulls,
            "created_at": (NOW - timedelta(days=40)).isoformat(),
            "updated_at": (NOW - timedelta(minutes=3)).isoformat(),
        }


@dataclass
class Peers:
    """What the stub knows; tests change it while it runs."""

    repositories: list[Repository] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=lambda: {"jane": PASSWORD})
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Manifests, by tag and by digest."""
    referrers: list[dict[str, Any]] = field(default_factory=list)
    periods: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What a tag pointed at, newest first, by tag."""
    restored: list[tuple[str, str]] = field(default_factory=list)
    """Tags that were put back, with their digests."""
    pushers: set[str] = field(default_factory=lambda: {"jane"})
    """Who may put a tag back."""
    explained_pushers: set[str] = field(default_factory=set)
    """Of whom it is explained that they may push."""
    gone: set[str] = field(default_factory=set)
    """Digests that the registry no longer has."""
    unmovable: dict[str, str] = field(default_factory=dict)
    """Tags that must not move, and what is said of it."""
    raw_away: bool = False
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Records of token requests, by id."""
    managers: set[str] = field(default_factory=set)
    """Who may ask who can."""
    display_names: dict[str, str] = field(default_factory=dict)
    needs_administrator: bool = False
    setup_switched_off: bool = False
    retry_after_s: int | None = None
    away: set[str] = field(default_factory=set)
    """Parts that answer 503."""
    broken: set[str] = field(default_factory=set)
    """Parts that answer 200 with nonsense."""
    refused_access_tokens: set[str] = field(default_factory=set)
    freshness: dict[str, Any] = field(
        default_factory=lambda: {
            "indexed_at": (NOW - timedelta(seconds=4)).isoformat(),
            "crawled_at": (NOW - timedelta(hours=6)).isoformat(),
            "waiting": 0,
        }
    )
    sessions: dict[str, str] = field(default_factory=dict)
    """Refresh token → username."""
    requests: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    """Whose address came with each password."""
    url: str = ""

    def add(self, full_name: str, *tags: Mapping[str, Any], public: bool = False) -> Repository:
        repository = Repository(full_name, tags, public, id=len(self.repositories) + 1)
        self.repositories.append(repository)
        return repository


@contextmanager
def run_peers(peers: Peers) -> Iterator[Peers]:
    """Serve the stub on a free port of loopback while the block runs."""
    with run_app(new_peers_app(peers)) as url:
        peers.url = url
        yield peers


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the application logs its requests itself."""


@contextmanager
def run_app(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of loopback while the block runs; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    # The server looks for the end of the block this often.
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def new_peers_app(peers: Peers) -> Flask:
    """Build the stub."""
    app = Flask(__name__)
    register_request_hooks(app)
    app.register_error_handler(Problem, problem_response)

    @app.before_request
    def note() -> Response | None:
        peers.requests.append(f"{request.method} {request.full_path.removesuffix('?')}")
        part = "catalog" if request.path.startswith(_OF_CATALOG) else "auth"
        if part in peers.away:
            raise Problem(503, f"{part} is away")
        return jsonify(nonsense=True) if part in peers.broken else None

    @app.get("/healthz")
    def alive() -> Response:
        return jsonify(status="ok")

    _add_auth(app, peers)
    _add_rights(app, peers)
    _add_catalog(app, peers)
    _add_artifacts(app, peers)
    return app


def _add_auth(app: Flask, peers: Peers) -> None:
    @app.get("/api/v1/setup")
    def setup() -> Response:
        return jsonify(needs_administrator=peers.needs_administrator, signup=False)

    @app.post("/api/v1/users/bootstrap")
    def bootstrap() -> tuple[Response, int]:
        user = request.get_json()["user"]
        if peers.setup_switched_off:
            raise Problem(405, "switched off")
        if not peers.needs_administrator:
            raise Problem(400, "There are people already.")
        if len(user["password"]) < 8:
            raise Problem(422, "The values are not usable.", errors={"password": ["must have 8 to 128 characters"]})
        peers.people[user["username"]] = user["password"]
        peers.needs_administrator = False
        return jsonify(_user(peers, user["username"])), 201

    @app.post("/api/v1/sessions")
    def sign_in() -> tuple[Response, int]:
        peers.addresses.append(client_address(request, INTERNAL_SECRET))
        if peers.retry_after_s is not None:
            raise Problem(429, "Too many.", headers={"Retry-After": str(peers.retry_after_s)})
        given = request.get_json()
        if peers.people.get(given["username"]) != given["password"]:
            raise Problem(401, "The name or the password is wrong.")
        refresh_token = f"refresh-{len(peers.sessions)}-of-{given['username']}"
        peers.sessions[refresh_token] = given["username"]
        return jsonify(_session(peers, refresh_token)), 201

    @app.post("/api/v1/sessions/refresh")
    def refresh() -> Response:
        refresh_token = request.get_json()["refresh_token"]
        if refresh_token not in peers.sessions:
            raise Problem(401, "This session is over.")
        return jsonify(_session(peers, refresh_token))

    @app.post("/api/v1/sessions/revoke")
    def revoke() -> tuple[str, int]:
        peers.sessions.pop(request.get_json()["refresh_token"], None)
        return "", 204


def _add_rights(app: Flask, peers: Peers) -> None:
    @app.get("/api/v1/decisions/<decision_id>")
    def decision(decision_id: str) -> Response:
        _require_person(peers)
        if decision_id not in peers.decisions:
            raise Problem(404, "There is no such decision.")
        return jsonify(peers.decisions[decision_id])

    @app.get("/api/v1/explain")
    def explain() -> Response:
        username = _require_person(peers)
        about = request.args.get("username", username)
        if about != username and about not in peers.people:
            raise Problem(403, "Only those who manage the namespace may ask what others can do in it.")
        refused = {"change": "Become a contributor of the team 'platform'.", "givers": ["the owners of the team"]}
        pushes = about in peers.explained_pushers
        push = {"action": "push", "allowed": pushes, "reason": "a viewer may not", "paths": [], "remedies": [refused]}
        path = {"standing": "a viewer of the team", "team": "platform", "grant_id": None}
        pull = {"action": "pull", "allowed": True, "reason": "a viewer may", "paths": [path], "remedies": []}
        return jsonify(
            subject={"kind": "person", "username": about},
            repository=request.args["repository"],
            namespace={"team": "platform", "visibility": "private"},
            decisions=[pull, push],
            owners=["olga"],
            administrators=["root"],
        )

    @app.get("/api/v1/who-can")
    def who_can() -> Response:
        if _require_person(peers) not in peers.managers:
            raise Problem(403, "Only those who manage the namespace may ask this.")
        grant = {"standing": None, "team": "release", "grant_id": 7}
        holder = {"kind": "person", "username": "olga", "paths": [grant]}
        return jsonify(everybody=False, signed_in=False, holders=[holder])


def _require_person(peers: Peers) -> str:
    username = _caller(peers)
    if username is None:
        raise Problem(401, "Sign in first.")
    return username


def _add_catalog(app: Flask, peers: Peers) -> None:
    @app.get("/api/v1/repositories")
    def repositories() -> Response:
        rows = [repository.dump() for repository in _visible(peers) if _matches(repository.dump())]
        return _page(rows)

    @app.get("/api/v1/repositories/<int:number>/tags")
    def tags(number: int) -> Response:
        found = [repository for repository in _visible(peers) if repository.id == number]
        if not found:
            raise Problem(404, "There is no such repository.")
        wanted = request.args
        named = [tag for tag in found[0].tags if wanted.get("q", "") in tag["name"]]
        return _page([tag for tag in named if tag["digest"].startswith(wanted.get("digest_prefix", ""))])

    @app.get("/api/v1/freshness")
    def freshness() -> Response:
        return jsonify(peers.freshness)

    @app.get("/api/v1/statistics")
    def statistics() -> Response:
        return jsonify(days=[], namespaces=[], latest=[], most_pulled=[], totals={"repositories": len(_visible(peers))})

    @app.get("/api/v1/application_tokens")
    def application_tokens() -> Response:
        return _page([])

    @app.get("/api/v1/search")
    def search() -> Response:
        wanted = request.args["q"]
        seen = [(one.full_name, tag) for one in _visible(peers) for tag in one.tags]
        tags = [{"repository": name, "tag": tag["name"], "digest": tag["digest"]} for name, tag in seen]
        exact = [tag for tag in tags if f"{tag['repository']}:{tag['tag']}" == wanted]
        return jsonify(
            exact=exact[0] if exact else None,
            repositories=[{"repository": one.full_name} for one in _visible(peers) if wanted in one.full_name],
            tags=[tag for tag in tags if tag["tag"].startswith(wanted)],
            digests=[tag for tag in tags if tag["digest"].partition(":")[2].startswith(wanted)],
            labels=[
                {"repository": name, "digest": tag["digest"], "key": key, "value": value}
                for name, tag in seen
                for key, value in tag.get("labels", {}).items()
                if key.startswith(wanted)
            ],
            people=[{"username": name} for name in peers.people if name.startswith(wanted)],
            more=["tags"] if len(tags) > 10 else [],
        )


def _add_artifacts(app: Flask, peers: Peers) -> None:
    @app.get("/api/v1/repositories/<int:number>/manifests/<reference>")
    def manifest(number: int, reference: str) -> Response:
        if reference not in peers.artifacts:
            raise Problem(404, "There is no such manifest.")
        return jsonify(peers.artifacts[reference])

    @app.get("/api/v1/repositories/<int:number>/manifests/<digest>/referrers")
    def referrers(number: int, digest: str) -> Response:
        if "referrers" in peers.away:
            raise Problem(503, "The registry is away.")
        return _page(peers.referrers)

    @app.get("/api/v1/repositories/<int:number>/manifests/<digest>/raw")
    def raw(number: int, digest: str) -> Response:
        if peers.raw_away:
            raise Problem(503, "The registry is away.")
        return Response('{"schemaVersion": 2, "x": "</pre><script>"}', content_type="application/octet-stream")

    @app.get("/api/v1/repositories/<int:number>/history/<tag>")
    def history(number: int, tag: str) -> Response:
        if tag not in peers.periods:
            raise Problem(404, "There was never such a tag.")
        return _page(peers.periods[tag])

    @app.post("/api/v1/repositories/<int:number>/restore")
    def restore(number: int) -> Response:
        wanted = request.get_json()
        if _require_person(peers) not in peers.pushers:
            raise Problem(403, "You may not push to it.")
        if wanted["digest"] in peers.gone:
            raise Problem(422, "Parts of it are gone.", errors={"missing": [digest_of("9")]})
        if wanted["tag"] in peers.unmovable:
            raise Problem(422, peers.unmovable[wanted["tag"]])
        peers.restored.append((wanted["tag"], wanted["digest"]))
        return jsonify(tag=wanted["tag"], digest=wanted["digest"], manifests=[], repository_id=number)


def _matches(row: Mapping[str, Any]) -> bool:
    wanted = request.args
    return (
        wanted.get("q", "") in row["full_name"]
        and wanted.get("name", row["full_name"]) == row["full_name"]
        and wanted.get("namespace", row["namespace"]["name"]) == row["namespace"]["name"]
    )


def _visible(peers: Peers) -> list[Repository]:
    username = _caller(peers)
    return [repository for repository in peers.repositories if username or repository.public]


def _caller(peers: Peers) -> str | None:
    header = request.headers.get("Authorization")
    if "auth" in peers.away:
        raise Problem(503, "auth is away")
    if header is None:
        return None
    access_token = header.removeprefix("Bearer ")
    username = access_token.removeprefix("access-of-")
    if username not in peers.people or access_token in peers.refused_access_tokens:
        raise Problem(401, "This token is no longer good.")
    return username


def _page(rows: Sequence[Mapping[str, Any]]) -> Response:
    wanted = PageRequest(**PageQuery().load(request.args.to_dict(), unknown="exclude"))
    page = Page(rows[wanted.offset : wanted.offset + wanted.per_page], len(rows), wanted)
    return set_page_headers(jsonify(page.rows), page)


def _session(peers: Peers, refresh_token: str) -> dict[str, Any]:
    username = peers.sessions[refresh_token]
    return {
        "access_token": f"access-of-{username}",
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": refresh_token,
        "user": _user(peers, username),
    }


def _user(peers: Peers, username: str) -> dict[str, Any]:
    return {
        "id": 1,
        "username": username,
        "email": f"{username}@example.test",
        "display_name": peers.display_names.get(username),
        "admin": False,
        "enabled": True,
        "namespace": {"id": 1, "name": username},
    }
