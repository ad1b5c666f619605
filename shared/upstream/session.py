"""Calls to another server by ``requests``, with a base address, time-outs and bounded retries.

They go to its adapter and not by way of its session, which prepares every call for cookies, redirects and
settings of its own, and takes a quarter of the time of a call for that.

UpstreamError             any failed call
└── UpstreamUnavailable   no answer in time, or 502/503/504 after the last try
"""

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from flask import g, has_request_context
from requests.adapters import HTTPAdapter
from requests.utils import default_headers
from urllib3.util import Retry, create_urllib3_context


class UpstreamError(Exception):
    """A call to another server did not succeed; the text names the server, never a secret."""


class UpstreamUnavailable(UpstreamError):
    """The other server did not answer, or says that it cannot at the moment."""


class UpstreamSession:
    """Calls one server.

    Args:
        name: what people call the server, for messages.
        base_url: address without a trailing slash.
        connect_timeout_s: time to get a connection.
        read_timeout_s: longest silence while answering.
        retries: further tries of GET, HEAD, PUT and DELETE after a broken connection or 502/503/504.
        user_agent: sent with every call.
        headers: sent with every call.
        ca_bundle: file of CA certificates that are believed beside the well-known ones.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        connect_timeout_s: float = 2,
        read_timeout_s: float = 10,
        retries: int = 1,
        user_agent: str = "portus",
        headers: dict[str, str] | None = None,
        pool_size: int = 16,
        ca_bundle: Path | None = None,
    ) -> None:
        self.name = name
        self.base_url = base_url.rstrip("/")
        self._timeout = (connect_timeout_s, read_timeout_s)
        self._headers = {**default_headers(), "User-Agent": user_agent, **(headers or {})}
        retry = Retry(
            total=retries,
            redirect=0,
            backoff_factor=0.1,
            status_forcelist=(502, 503, 504),
            raise_on_status=False,
            # It would also sleep on a 429, for as long as the other server likes.
            respect_retry_after_header=False,
        )
        self._adapter = _Adapter(ca_bundle, max_retries=retry, pool_maxsize=pool_size)

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        data: bytes | Mapping[str, Any] | None = None,
        json: Any = None,
        auth: tuple[str, str] | None = None,
        timeout: tuple[float, float] | None = None,
        stream: bool = False,
    ) -> requests.Response:
        """Send a request; any status but 502, 503 and 504 is returned as it is, a redirect as well.

        Args:
            method: HTTP verb.
            path: begins with ``/``; or a whole address on the same server (a ``Link`` header's).
            headers: beside those of every call, or in their place.
            params: of the query.
            data: the body: bytes, or the fields of a form.
            json: the body, as JSON.
            auth: name and password, for Basic.
            timeout: in seconds, to get a connection and between bytes, in place of the session's own.
            stream: leave the body for the caller to read, who has to close the answer.

        Raises:
            UpstreamUnavailable: no answer in time.
        """
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        known = {"X-Request-Id": g.request_id} if has_request_context() and "request_id" in g else {}
        try:
            prepared = requests.PreparedRequest()
            prepared.prepare_method(method)
            prepared.prepare_url(url, params)
            prepared.prepare_headers({**self._headers, **known, **(headers or {})})
            prepared.prepare_body(data, None, json)
            # Without one it is what the address says.
            prepared.prepare_auth(auth, url)
            response = self._adapter.send(prepared, stream=stream, timeout=timeout or self._timeout)
            if not stream:
                # Read here, so that a body that breaks off is a fault of this call.
                _ = response.content
        except requests.RequestException as fault:
            raise UpstreamUnavailable(f"{self.name} does not answer ({_reason(fault)})") from fault
        if response.status_code in (502, 503, 504):
            # A streamed answer keeps its connection until somebody closes it.
            response.close()
            raise UpstreamUnavailable(f"{self.name} answers {response.status_code}")
        return response

    def close(self) -> None:
        """Close pooled connections."""
        self._adapter.close()


class _Adapter(HTTPAdapter):
    """Believes some more CAs; ``requests`` itself would believe them instead of all others."""

    def __init__(self, ca_bundle: Path | None, **options: Any) -> None:
        self._ca_bundle = ca_bundle
        super().__init__(**options)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Give the pools what is believed; the well-known CAs are added at each connection."""
        if self._ca_bundle:
            context = create_urllib3_context()
            context.load_verify_locations(cafile=self._ca_bundle)
            options["ssl_context"] = context
        super().init_poolmanager(*args, **options)


def _reason(fault: BaseException) -> str:
    """Say why nobody answers, as far as that is plain."""
    for cause in _causes(fault):
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not believed: {cause.verify_message}"
    return type(fault).__name__


def _causes(fault: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = fault
    while cause is not None:
        yield cause
        # urllib3 hands a fault of TLS on as an argument.
        yield from (argument for argument in cause.args if isinstance(argument, ssl.SSLError))
        cause = cause.__cause__ or cause.__context__
