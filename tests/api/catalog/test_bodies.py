"""Bodies that are longer or slower than they should be, from a real server."""

import time
from collections.abc import Iterator

import pytest
import requests
from flask import Flask, Response

from services.catalog.clients.bodies import BodyTooLong, BodyTooSlow, read_body
from tests.support.serving import serving


@pytest.fixture
def url() -> Iterator[str]:
    app = Flask(__name__)

    @app.get("/drips")
    def drips() -> Response:
        def drip() -> Iterator[bytes]:
            for _ in range(100):
                time.sleep(0.05)
                yield b"x" * 64 * 1024

        return Response(drip())

    @app.get("/whole")
    def whole() -> bytes:
        return b"x" * 200_000

    with serving(app) as url:
        yield url


def test_one_that_is_as_it_should_be_is_read_to_its_end(url: str) -> None:
    with requests.get(f"{url}/whole", stream=True, timeout=10) as response:
        assert read_body(response, max_bytes=200_000, max_s=30) == b"x" * 200_000


def test_one_that_is_too_long_is_not_read_to_its_end(url: str) -> None:
    with requests.get(f"{url}/whole", stream=True, timeout=10) as response, pytest.raises(BodyTooLong):
        read_body(response, max_bytes=199_999, max_s=30)


def test_one_that_drips_is_given_up(url: str) -> None:
    with requests.get(f"{url}/drips", stream=True, timeout=10) as response, pytest.raises(BodyTooSlow):
        read_body(response, max_bytes=10**9, max_s=0.2)
