"""Whatever bytes come to the token endpoint, it answers as clients of the registry understand it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.auth import PASSWORD, AuthService, basic, claims_of

EXAMPLES = settings(max_examples=200, suppress_health_check=list(HealthCheck), database=None)
MULTIPART = "multipart/form-data; boundary=x"
FORM = "application/x-www-form-urlencoded"

_WORDS = st.sampled_from(
    [b"repository", b"registry", b"n/x", b"a" * 300, b"pull", b"push", b"*", b"(plugin)", b"catalog", b"\x00", b"\xff"]
)
_SCOPES = st.lists(_WORDS | st.binary(max_size=8), max_size=6).map(b":".join)
_NAMES = st.sampled_from([b"scope", b"service", b"account", b"offline_token", b"client_id", b"grant_type"])
_MORE_NAMES = st.sampled_from([b"username", b"password", b"refresh_token", b"access_type"])
_VALUES = _SCOPES | st.binary(max_size=40) | st.sampled_from([b"password", b"refresh_token", b"true", b"offline"])
_ENCODED = _VALUES.map(lambda value: quote_from_bytes(value).encode())


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Draw a query or a form: well formed, with bytes that are not, or any bytes at all."""
    pairs = draw(st.lists(st.tuples(_NAMES | _MORE_NAMES, _ENCODED | _VALUES), max_size=6))
    return draw(st.just(b"&".join(name + b"=" + value for name, value in pairs)) | st.binary(max_size=60))


_CREDENTIALS = st.sampled_from([None, basic("jane")["Authorization"].encode()]) | st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=40).map(lambda rest: b"Basic " + rest),
    st.binary(max_size=40).map(lambda rest: b"Bearer " + rest),
    st.sampled_from([b"Basic ", b"Basic =", b"Basic Og==", b"basic amFuZTo=", b"Basic \xff\xff"])
    | st.just(b"Basic " + b"A" * 9000),
)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def auth(auth: AuthService) -> AuthService:
    auth.make_team("team", owner=auth.make_user("jane"))
    return auth


def send(auth: AuthService, method: str, *, query: bytes, credentials: bytes | None, **environ: Any) -> tuple[int, Any]:
    """Send a request as a server would hand it on, and return its status and its JSON."""
    statuses: list[str] = []

    def start(status: str, _headers: list[tuple[str, str]], _fault: object = None) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda _data: None

    base = {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/v2/token",
        # PEP 3333: bytes as Latin-1.
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if credentials is not None:
        base["HTTP_AUTHORIZATION"] = credentials.decode("latin-1")
    body = b"".join(auth.app.wsgi_app({**base, **environ}, start))
    assert body.isascii()
    return int(statuses[-1].split()[0]), json.loads(body)


@EXAMPLES
@given(query=forms(), credentials=_CREDENTIALS)
@example(query=b"scope=repository:n/x:pull&scope=%00", credentials=None)
@example(query=b"\x80", credentials=None)
@example(query=b"", credentials=b"Basic \xcd")
@example(query=b"service=%ff%fe&account=%00%0d%0a", credentials=None)
@example(query=b"scope=" + b"repository:n/x:pull%20" * 300, credentials=None)
def test_get_answers_any_bytes(auth: AuthService, query: bytes, credentials: bytes | None) -> None:
    status, answer = send(auth, "GET", query=query, credentials=credentials)

    if status == 200:
        assert claims_of(answer["token"])["sub"] in ("", "jane")
        assert answer["token"] == answer["access_token"]
    else:
        assert status in (400, 401, 403, 429)
        (fault,) = answer["errors"]
        assert {"code", "message"} <= set(fault)
        assert fault["message"].isprintable()


@EXAMPLES
@given(
    body=forms(),
    kind=st.sampled_from([FORM, FORM + "; charset=\xff", "application/json", MULTIPART, ""])
    | st.text(st.characters(max_codepoint=255), max_size=20),
)
@example(body=b"grant_type=password&username=jane&password=" + b"\xff", kind=FORM)
@example(body=b"grant_type=refresh_token&refresh_token=portus_rr_x", kind=FORM)
@example(
    body=b"--x\r\nContent-Disposition: form-data; name=grant_type\r\n\r\npassword",
    kind=MULTIPART,
)
def test_post_answers_any_bytes(auth: AuthService, body: bytes, kind: str) -> None:
    environ = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}

    status, answer = send(auth, "POST", query=b"", credentials=None, **environ)

    if status == 200:
        assert claims_of(answer["access_token"])["sub"] in ("", "jane")
    else:
        assert status in (400, 401, 403, 429)
        assert isinstance(answer["error"], str)
        assert answer.get("error_description", "").isprintable()


@EXAMPLES
@given(length=st.text(st.characters(max_codepoint=255), max_size=12) | st.integers(-5, 10**30).map(str))
def test_a_length_that_is_none_does_no_harm(auth: AuthService, length: str) -> None:
    form = urlencode({"grant_type": "password", "username": "jane", "password": PASSWORD}).encode()

    status, _answer = send(
        auth,
        "POST",
        query=b"",
        credentials=None,
        CONTENT_TYPE=FORM,
        CONTENT_LENGTH=length,
        **{"wsgi.input": io.BytesIO(form)},
    )

    assert status in (200, 400, 401, 413)
