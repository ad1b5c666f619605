"""Headers that tell the browser what a page of ours may do.

Source: CSP Level 3; Referrer Policy; RFC 9111 §5.2.2.
"""

from flask import Response, request

from services.web.pages.assets import STYLES

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

_ASSETS = frozenset({"static", "bootstrap.static", STYLES})


def set_defensive_headers(response: Response) -> Response:
    """Confine the page, and keep what people see out of every cache."""
    headers = response.headers
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    # Not "no-referrer": the CSRF check on HTTPS compares the referrer with our own host.
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint not in _ASSETS:
        headers["Cache-Control"] = "no-store"
    return response
