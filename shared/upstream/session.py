"""A ``requests`` session with a base address, time-outs and bounded retries.

UpstreamError             any failed call
└── UpstreamUnavailable   no answer in time, or 502/503/504 after the last try
"""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
from flask import g, has_request_context
from requests.adapters import HTTPAdapter
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
        self._session = requests.Session()
        # Neither ~/.netrc nor proxy variables may add credentials or send a peer call elsewhere.
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": user_agent, **(headers or {})})
        retry = Retry(
            total=retries,
            redirect=0,
            backoff_factor=0.1,
            status_forcelist=(502, 503, 504),
            raise_on_status=False,
            # It would also sleep on a 429, for as long as the other server likes.
            respect_retry_after_header=False,
        )
        adapter = _Adapter(ca_bundle, max_retries=retry, pool_maxsize=pool_size)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request; any status but 502, 503 and 504 is returned as it is.

        Args:
            method: HTTP verb.
            path: begins with ``/``; or a whole address on the same server (a ``Link`` header's).
            **options: as ``requests.Session.request`` takes them.

        Raises:
            UpstreamUnavailable: no answer in time.
        """
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        headers = dict(options.pop("headers", None) or {})
        if has_request_context() and "request_id" in g:
            headers.setdefault("X-Request-Id", g.request_id)
        options.setdefault("timeout", self._timeout)
        options.setdefault("allow_redirects", False)
        try:
            response = self._session.request(method, url, headers=headers, **options)
        except requests.RequestException as fault:
            raise UpstreamUnavailable(f"{self.name} does not answer ({_reason(fault)})") from fault
        if response.status_code in (502, 503, 504):
            # A streamed answer keeps its connection until somebody closes it.
            response.close()
            raise UpstreamUnavailable(f"{self.name} answers {response.status_code}")
        return response

    def close(self) -> None:
        """Close pooled connections."""
        self._session.close()


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
