"""The session with which services call other servers."""

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
