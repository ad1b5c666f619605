"""The session with which services call other servers."""

from collections.abc import Iterator
from threading import Event

import pytest
from werkzeug import Request, Response

from shared.upstream import UpstreamSession, UpstreamUnavailable
from tests.support.serving import serving


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("status", "asked"), [(429, 1), (503, 2)])
def test_another_server_cannot_make_us_wait_by_telling_us_to(status: int, asked: int) -> None:
    """Only its caller knows whether there is time to wait."""
    seen: list[str] = []

    @Request.application
    def answer(request: Request) -> Response:
        seen.append(request.path)
        return Response("", status, headers={"Retry-After": "3600"})

    with serving(answer) as url:
        session = UpstreamSession("another server", url, retries=1)
        if status == 503:
            with pytest.raises(UpstreamUnavailable):
                session.request("GET", "/")
        else:
            assert session.request("GET", "/").headers["Retry-After"] == "3600"

    assert len(seen) == asked


@pytest.mark.timeout(20)
@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_streamed_refusal_is_let_go_of(status: int) -> None:
    """An outage would hold a connection for each call otherwise: nobody else has the answer to close it."""
    let_go = Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"away" * 10_000
        finally:
            let_go.set()

    with serving(Request.application(lambda _: Response(endless(), status))) as url:
        session = UpstreamSession("another server", url, retries=0)
        with pytest.raises(UpstreamUnavailable) as raised:
            session.request("GET", "/", stream=True)

        assert let_go.wait(10), raised
