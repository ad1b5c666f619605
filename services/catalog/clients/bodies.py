"""Reading the body of an answer that may be longer or slower than it should be."""

from time import monotonic

import requests

_CHUNK_BYTES = 64 * 1024


class BodyTooLong(Exception):
    """It has more bytes than its kind may have."""


class BodyTooSlow(Exception):
    """It has not come to its end in time, however steadily it drips."""


def read_body(response: requests.Response, *, max_bytes: int, max_s: float) -> bytes:
    """Read a streamed response to its end.

    Raises:
        BodyTooLong, BodyTooSlow: see above.
        requests.RequestException: it broke off.
    """
    deadline, body = monotonic() + max_s, bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLong
        if monotonic() > deadline:
            raise BodyTooSlow
    return bytes(body)
