"""``/r/<name>/-/vulnerabilities/<digest>``: what was found in an artifact."""

from flask import Response, flash, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from services.web.pages.frames import ask_freshness, render
from services.web.pages.inputs import load_after
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.pages.repository import find_repository
from services.web.pages.visitors import require_visitor
from services.web.viewmodels.names import present_digest, present_name
from services.web.viewmodels.scans import SEVERITIES, present_findings, present_scan
from shared.oci.names import parse_digest, parse_repository_name


def show_vulnerabilities(portal: Portal, name: str, digest: str) -> Response:
    """List what was found in an artifact, the worst first."""
    wanted = parse_digest(digest)
    visitor, repository = find_repository(portal, name)
    severity = request.args.get("severity", "")
    severity = severity if severity in SEVERITIES else ""
    fixable = "true" if request.args.get("fixable") == "true" else ""
    filters = {"severity": severity, "fixable": fixable}
    findings = portal.scans.list_findings(visitor, repository.id, wanted, load_after(), filters)
    ask_freshness(portal, visitor)
    return render(
        portal,
        "vulnerabilities.html",
        name=present_name(parse_repository_name(name)),
        digest=present_digest(wanted),
        scan=present_scan(findings.scan, portal.clock()),
        rows=present_findings(findings.rows),
        following=findings.following,
        severity=severity,
        severities=[(value, text) for value, (_kind, text) in SEVERITIES.items()],
        fixable=fixable,
    )


def scan_again(portal: Portal, name: str, digest: str) -> AnyResponse:
    """Have an artifact scanned anew."""
    visitor, wanted = require_visitor(portal), parse_digest(digest)
    _, repository = find_repository(portal, name)
    portal.scans.ask_again(visitor, repository.id, wanted)
    flash(gettext("It is scanned anew, as soon as it is its turn."))
    return see_other(url_for("digest", name=name, digest=wanted))
