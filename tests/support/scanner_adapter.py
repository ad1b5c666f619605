"""A scanner's adapter that keeps strictly to its specification, until it is told to misbehave.

It really pulls what it is asked to scan, with the authorization that it is given for that, and finds what it was
told lies in there. Source: pluggable-scanner-spec 1.2.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests
from flask import Flask, Response, jsonify, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, HTTPException, UnprocessableEntity

from shared.oci.media_types import ACCEPT_MANIFESTS, DOCKER_MANIFEST, OCI_MANIFEST

METADATA = "application/vnd.scanner.adapter.metadata+json; version=1.0"
REQUEST = "application/vnd.scanner.adapter.scan.request+json; version=1.0"
RESPONSE = "application/vnd.scanner.adapter.scan.response+json; version=1.0"
REPORT = "application/vnd.security.vulnerability.report; version=1.1"
ERROR = "application/vnd.scanner.adapter.error+json; version=1.0"
DATABASE_AT = "2026-11-20T06:00:00Z"


def vulnerability(name: str, severity: str | None = "High", package: str = "openssl", **other: Any) -> dict[str, Any]:
    """Return an item of a report."""
    item = {"id": name, "package": package, "version": "1.0", "fix_version": "1.1", **other}
    return item if severity is None else {**item, "severity": severity}


class Plain(Response):
    """Sends its headers as they are: others mend a Location, and refuse one that cannot be mended."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        return Headers(self.headers)


@dataclass
class Adapter:
    """An adapter; its fields say how it behaves, and what happened."""

    findings: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """What lies in a manifest, by digest; by an empty one: in every other."""
    consumes: Sequence[str] = (OCI_MANIFEST, DOCKER_MANIFEST)
    produces: Sequence[str] = (REPORT,)
    authorization: str | None = None
    """The header that it wants."""
    api_key: str | None = None
    metadata_status: int = 200
    scan_status: int = 202
    words: str = "not today"
    """What it says then; ``{authorization}`` is what it was to pull with."""
    not_ready: list[Mapping[str, str]] = field(default_factory=list)
    """Headers of 302s that come before a report, one after the other."""
    forgets: int = 0
    """So many scans it knows no more when it is asked for their reports."""
    report: bytes | None = None
    """What it sends in place of a report."""
    hangs_s: float = 0
    """How long it says nothing when it is asked for a report."""
    meanwhile: Callable[[], object] | None = None
    """What happens while it scans, once."""
    scans: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was asked for, by the scan's name."""
    pulled: list[str] = field(default_factory=list)
    """Digests of manifests and blobs that were pulled."""
    calls: list[str] = field(default_factory=list)

    @property
    def digests(self) -> list[str]:
        """What it was asked to scan, in order."""
        return [scan["artifact"]["digest"] for scan in self.scans.values()]

    def app(self) -> Flask:
        """Return the adapter's application."""
        app = Flask("scanner-adapter")
        app.add_url_rule("/api/v1/metadata", view_func=self._metadata)
        app.add_url_rule("/api/v1/scan", view_func=self._scan, methods=["POST"])
        app.add_url_rule("/api/v1/scan/<name>/report", view_func=self._report)
        app.before_request(self._let_in)
        app.register_error_handler(HTTPException, lambda fault: _error(fault.code or 500, fault.description or ""))
        return app

    def _let_in(self) -> Response | None:
        self.calls.append(f"{request.method} {request.path}")
        shown = (request.headers.get("Authorization"), request.headers.get("X-ScannerAdapter-API-Key"))
        return None if shown == (self.authorization, self.api_key) else _error(401, "who?")

    def _metadata(self) -> Response:
        _require(request.headers.get("Accept") == METADATA, "Accept")
        if self.metadata_status != 200:
            return _error(self.metadata_status, "no metadata")
        capability = {"consumes_mime_types": self.consumes, "produces_mime_types": self.produces}
        body = {
            "scanner": {"name": "Stub", "vendor": "Portus", "version": "0.1"},
            "capabilities": [capability],
            "properties": {"harbor.scanner-adapter/vulnerability-database-updated-at": DATABASE_AT},
        }
        return _answer(body, METADATA)

    def _scan(self) -> Response:
        _require(request.headers.get("Content-Type") == REQUEST, "Content-Type")
        _require(request.headers.get("Accept") == RESPONSE, "Accept")
        body = request.get_json()
        artifact, registry = body.get("artifact", {}), body.get("registry", {})
        if not (registry.get("url") and artifact.get("repository") and artifact.get("digest")):
            raise UnprocessableEntity("a field is missing")
        if artifact.get("mime_type") not in self.consumes:
            raise UnprocessableEntity("mime_type")
        if self.scan_status != 202:
            return _error(self.scan_status, self.words.format(authorization=registry["authorization"]))
        name = uuid4().hex
        self.scans[name] = body
        return _answer({"id": name}, RESPONSE, 202)

    def _report(self, name: str) -> Response:
        _require(request.headers.get("Accept") in self.produces, "Accept")
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile:
            meanwhile()
        time.sleep(self.hangs_s)
        if self.forgets or name not in self.scans:
            self.forgets -= 1
            return _error(404, "no such scan")
        if self.not_ready:
            return Plain(status=302, headers=dict(self.not_ready.pop(0)))
        if self.report is not None:
            return Response(self.report, content_type=REPORT)
        scan = self.scans[name]
        status = self._pull(scan["registry"], scan["artifact"])
        if status != 200:
            return _error(500, f"the registry answers {status}")
        found = self.findings.get(scan["artifact"]["digest"], self.findings.get("", []))
        return _answer({"artifact": scan["artifact"], "vulnerabilities": list(found)}, REPORT)

    def _pull(self, registry: Mapping[str, str], artifact: Mapping[str, str]) -> int:
        """Pull a manifest and its layers, as any scanner must; return the first status that is not 200."""
        base = f"{registry['url']}/v2/{artifact['repository']}"
        headers = {"Authorization": registry["authorization"]} if registry.get("authorization") else {}
        manifest = requests.get(
            f"{base}/manifests/{artifact['digest']}", headers={**headers, "Accept": ACCEPT_MANIFESTS}, timeout=10
        )
        if manifest.status_code != 200:
            return manifest.status_code
        self.pulled.append(artifact["digest"])
        for layer in manifest.json()["layers"]:
            blob = requests.get(f"{base}/blobs/{layer['digest']}", headers=headers, timeout=10)
            if blob.status_code != 200:
                return blob.status_code
            self.pulled.append(layer["digest"])
        return 200


def _require(right: bool, what: str) -> None:
    if not right:
        raise BadRequest(f"wrong {what}: {request.headers.get(what)}")


def _answer(body: Mapping[str, Any], media_type: str, status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code, response.content_type = status, media_type
    return response


def _error(status: int, message: str) -> Response:
    return _answer({"error": {"message": message}}, ERROR, status)
