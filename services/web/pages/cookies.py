"""The portal's cookies: all ``HttpOnly`` and ``SameSite=Lax``, ``Secure`` by setting.

Source: RFC 6265bis §4.1.3.2 (the ``__Host-`` prefix: no other host of the domain can set it).
"""

from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from shared.config import Secret

SESSION = "portus_session"
"""Holds the refresh token, and nothing else does."""
STATE = "portus_state"
"""Flask's signed cookie: the CSRF secret and one-time notices."""
THEME = "portus_theme"
RUNTIME = "portus_runtime"
LANGUAGE = "portus_language"

YEAR_S = 365 * 24 * 3600
MAX_VALUE_LENGTH = 1024
"""Longest cookie value that is looked at; our own are far shorter."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes the portal's cookies.

    Args:
        secure: whether they travel over HTTPS only.
    """

    secure: bool

    def name(self, base: str) -> str:
        """Return the name on the wire."""
        return f"__Host-{base}" if self.secure else base

    def find(self, base: str) -> str | None:
        """Return the value that the browser sent; ``None`` for none or one that cannot be ours."""
        value = request.cookies.get(self.name(base))
        return value if value and len(value) <= MAX_VALUE_LENGTH else None

    def find_refresh_token(self) -> Secret | None:
        """Return the browser's refresh token."""
        value = self.find(SESSION)
        return Secret(value) if value else None

    def keep(self, response: Response, base: str, value: str, *, max_age_s: int | None = None) -> None:
        """Set a cookie; without an age it goes when the browser is closed."""
        response.set_cookie(
            self.name(base), value, max_age=max_age_s, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )

    def drop(self, response: Response, base: str) -> None:
        """Tell the browser to forget a cookie."""
        response.delete_cookie(self.name(base), path="/", secure=self.secure, httponly=True, samesite="Lax")
