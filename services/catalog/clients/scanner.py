"""Any scanner that has an adapter.

Source: pluggable-scanner-spec 1.2; Harbor's client for what its README leaves open.
"""

import re
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import requests
import structlog

from services.catalog.clients.bodies import BodyTooLong, BodyTooSlow, read_body
from services.catalog.domain.lenient import Malformed, in_one_line, of_type, read_object
from services.catalog.domain.scanners import ScannerMetadata, read_metadata
from services.catalog.domain.scans import Report, read_report
from services.catalog.usecases.scanner import (
    Artifact,
    NotReady,
    NotScannable,
    ScanFailed,
    ScannerUnavailable,
    ScanUnknown,
)
from shared.config import Secret
from shared.upstream import UpstreamError, UpstreamSession

METADATA_TYPE = "application/vnd.scanner.adapter.metadata+json; version=1.0"
REQUEST_TYPE = "application/vnd.scanner.adapter.scan.request+json; version=1.0"
RESPONSE_TYPE = "application/vnd.scanner.adapter.scan.response+json; version=1.0"
"""Every adapter knows 1.0 of these; what later ones add we do not ask for."""

MAX_ANSWER_BYTES = 256 * 1024
MAX_REPORT_BYTES = 20 * 1024 * 1024
"""Reading one takes seven times as much memory, of which a worker has 512 MiB for two at a time."""
MAX_MESSAGE = 250
"""So much of what a scanner says went wrong is logged."""
MAX_READ_S = 120.0
"""Longest time for one report, however steadily it drips."""

ASK_AFTER_S = 5.0
"""When an adapter does not say (specification)."""
LONGEST_ASK_AFTER_S = 60.0


_CREDENTIAL = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+|\beyJ[\w.-]+|(?<=//)[^\s/@]+(?=@)")
"""What looks like one: of a header, a JSON Web Token, of an address."""

log = structlog.get_logger(__name__)


class ScannerClient:
    """Talks to one adapter; may be used by many threads at once. It never follows a redirect.

    Args:
        session: on ``PORTUS_SCANNER_URL``.
        authorization: a whole ``Authorization`` header; empty: none.
        api_key: for adapters that want one in a header of its own; empty: none.
    """

    def __init__(self, session: UpstreamSession, *, authorization: Secret, api_key: Secret) -> None:
        self._session = session
        self._authorization = authorization
        self._api_key = api_key

    def get_metadata(self) -> ScannerMetadata:
        """Return what the scanner says of itself.

        Raises:
            ScannerUnavailable: it says nothing that can be read, for whatever reason: that is about no scan.
        """
        response = self._send("GET", "/metadata", {"Accept": METADATA_TYPE})
        if response.status_code != 200:
            raise ScannerUnavailable(str(self._refusal(response)))
        try:
            return read_metadata(_read(response, MAX_ANSWER_BYTES))
        except (Malformed, ScanFailed) as fault:
            raise ScannerUnavailable("The scanner does not say what it is: see PORTUS_SCANNER_URL.") from fault

    def begin_scan(self, artifact: Artifact, report_type: str) -> str:
        """Have something scanned; return the scan's name."""
        body = {
            "registry": {"url": artifact.registry_url, "authorization": artifact.authorization.reveal()},
            "artifact": {
                "repository": artifact.repository,
                "digest": artifact.digest,
                "mime_type": artifact.media_type,
            },
        }
        headers = {"Content-Type": REQUEST_TYPE, "Accept": RESPONSE_TYPE}
        response = self._send("POST", "/scan", headers, json=body)
        if response.status_code != 202:
            raise self._refusal(response, artifact.authorization)
        try:
            name = of_type(str, read_object(_read(response, MAX_ANSWER_BYTES)).get("id"))
        except Malformed as fault:
            raise ScanFailed("The scanner's answer names no scan.") from fault
        if not name:
            raise ScanFailed("The scanner's answer names no scan.")
        return name

    def find_report(self, scan: str, report_type: str) -> Report | NotReady:
        """Return the report of a scan, once it is ready."""
        response = self._send("GET", f"/scan/{quote(scan, safe='')}/report", {"Accept": report_type})
        if response.status_code == 302 and self._is_at_home(response):
            response.close()
            return NotReady(_pause(response.headers))
        if response.status_code == 404:
            response.close()
            raise ScanUnknown("The scanner does not know the scan any more.")
        if response.status_code != 200:
            raise self._refusal(response)
        try:
            return read_report(_read(response, MAX_REPORT_BYTES))
        except Malformed as fault:
            raise ScanFailed("The scanner's report cannot be read.") from fault

    def _is_at_home(self, response: requests.Response) -> bool:
        # It means "not ready", and is no place to go to; one elsewhere is no answer of a scanner at all.
        try:
            target = urlsplit(urljoin(response.url, response.headers.get("Location", "")))
        except ValueError:
            return False
        return target[:2] == urlsplit(response.url)[:2]

    def _refusal(self, response: requests.Response, *secrets: Secret) -> ScannerUnavailable | ScanFailed:
        """Return what an answer means that is not the one hoped for.

        The scanner's own words are for the log: they may name another repository than that of whoever reads them,
        and repeat what we have sent.
        """
        status = response.status_code
        if status in (401, 403):
            response.close()
            return ScannerUnavailable(f"The scanner does not let us in ({status}): see PORTUS_SCANNER_AUTHORIZATION.")
        if 300 <= status < 400:
            response.close()
            return ScanFailed(f"The scanner sends us elsewhere ({status}), where we do not go.")
        said = _message(response, [*secrets, self._authorization, self._api_key])
        log.warning("scanner.refused", status=status, said=said)
        if status == 429:
            return ScannerUnavailable("The scanner is busy (429).")
        return (NotScannable if status == 501 else ScanFailed)(f"The scanner answers {status}.")

    def _send(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> requests.Response:
        credentials = {"Authorization": self._authorization, "X-ScannerAdapter-API-Key": self._api_key}
        own = {name: value.reveal() for name, value in credentials.items() if value}
        try:
            return self._session.request(method, f"/api/v1{path}", headers={**headers, **own}, stream=True, **options)
        except UpstreamError as fault:
            raise ScannerUnavailable(f"{fault}.") from fault


def _message(response: requests.Response, secrets: Iterable[Secret]) -> str:
    """Return what a scanner says went wrong, without what we have told it in confidence."""
    try:
        error = of_type(dict, read_object(_read(response, MAX_ANSWER_BYTES)).get("error"))
    except (Malformed, ScanFailed, ScannerUnavailable):
        return ""
    said = str(error.get("message") or "")
    for secret in filter(None, secrets):
        for part in (secret.reveal(), secret.reveal().partition(" ")[2]):
            said = said.replace(part, "***") if part else said
    return in_one_line(_CREDENTIAL.sub("***", said))[:MAX_MESSAGE]


def _pause(headers: Mapping[str, str]) -> float:
    # The specification says Refresh-After, its README Retry-After.
    said = headers.get("Refresh-After") or headers.get("Retry-After") or ""
    try:
        pause_s = float(said)
    except ValueError:
        return ASK_AFTER_S
    return min(max(pause_s, 0.0), LONGEST_ASK_AFTER_S) if isfinite(pause_s) else ASK_AFTER_S


def _read(response: requests.Response, max_bytes: int) -> bytes:
    try:
        return read_body(response, max_bytes=max_bytes, max_s=MAX_READ_S)
    except BodyTooLong as fault:
        raise ScanFailed(f"The scanner's answer has more than {max_bytes} bytes.") from fault
    except BodyTooSlow as fault:
        raise ScannerUnavailable(f"The scanner took more than {MAX_READ_S:.0f} s for one answer.") from fault
    except requests.RequestException as fault:
        raise ScannerUnavailable(f"The scanner broke off ({type(fault).__name__}).") from fault
    finally:
        response.close()
