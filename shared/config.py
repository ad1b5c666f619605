"""Settings come from the environment, once, at the edge of a process.

Every variable may also be given as ``NAME_FILE``, the path of a file that holds the value (Docker
and Kubernetes secrets), and some under the name that they had in the old Portus. All bad variables
are reported together, in one ``SettingsError``.
"""

import hmac
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from environs import Env, EnvError, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import URL, Length

from shared.environment import EffectiveSetting, Environment
from shared.old_names import OLD_NAMES

Settings = TypeVar("Settings")

_HTTP = URL(schemes={"http", "https"}, require_tld=False)


class SettingsError(Exception):
    """The environment does not describe a runnable service; the message lists every fault."""


class Secret:
    """A value that must never be printed: ``str``, ``repr`` and formatting give ``***``."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; call it only where it goes onto the wire or into a hash."""
        return self._value

    def matches(self, candidate: str) -> bool:
        """Compare in constant time, whatever bytes the candidate holds."""
        # JSON can carry half a surrogate pair, which plain UTF-8 refuses.
        return hmac.compare_digest(_bytes(self._value), _bytes(candidate))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._value)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"


def read_settings(build: Callable[[Env], Settings]) -> Settings:
    """Build a settings object from the environment.

    Args:
        build: receives a deferred environment reader (``env.str``, ``env.int``, …) and returns
            the settings; it must not act on a value, because faults surface only afterwards.

    Raises:
        SettingsError: one line per variable that is missing or wrong.
    """
    settings, _ = read_effective(build)
    return settings


def read_effective(build: Callable[[Env], Settings]) -> tuple[Settings, tuple[EffectiveSetting, ...]]:
    """Build a settings object like ``read_settings``; say also what was read and from where.

    Raises:
        SettingsError: one line per variable that is missing or wrong.
    """
    env = Environment(OLD_NAMES)
    try:
        settings = build(env)
        env.seal()
    except EnvValidationError as fault:
        raise SettingsError(_explain(fault)) from fault
    except (EnvError, ValueError, OSError) as fault:
        raise SettingsError(str(fault)) from fault
    return settings, env.effective()


def secret(env: Env, name: str, *, min_length: int = 16) -> Secret:
    """Read a required secret of at least ``min_length`` characters."""
    _hide(env, name)
    return Secret(env.str(name, validate=Length(min=min_length)) or "")


def secret_url(env: Env, name: str, default: str, *, validate: Callable[[str], object] | None = None) -> Secret:
    """Read an address that may hold a password."""
    _hide(env, name)
    return Secret(env.str(name, default, validate=validate) or "")


def http_url(env: Env, name: str, default: str) -> str:
    """Read the address of an HTTP server."""
    return env.str(name, default, validate=_HTTP)


def optional_secret(env: Env, name: str) -> Secret:
    """Read a secret that may be left out, and then is empty."""
    return secret_url(env, name, "")


def optional_http_url(env: Env, name: str) -> str:
    """Read the address of an HTTP server that there may not be; then it is empty."""
    return env.str(name, "", validate=lambda url: _all_http([url])) or ""


def http_urls(env: Env, name: str) -> tuple[str, ...]:
    """Read the addresses of any number of HTTP servers, separated by commas."""
    found: list[str] | None = env.list(name, [], validate=_all_http)
    return tuple(_not_empty(found or []))


def ca_bundle(env: Env, name: str) -> Path | None:
    """Read the path of a file of CA certificates (PEM) that are believed beside the well-known ones."""
    path = env.str(name, "", validate=_holds_certificates)
    return Path(path) if path else None


def data_file(env: Env, name: str) -> Path:
    """Return the path of a file in ``PORTUS_DATA_DIR`` (default ``.portus``)."""
    # An empty name would be the current folder, which nobody means.
    return Path(env.str("PORTUS_DATA_DIR", "") or ".portus").absolute() / name


def _hide(env: Env, name: str) -> None:
    if isinstance(env, Environment):
        env.hide(name)


def _all_http(urls: list[str]) -> None:
    for url in _not_empty(urls):
        _HTTP(url)


def _holds_certificates(path: str) -> None:
    if not path:
        return
    try:
        ssl.create_default_context(cafile=path)
    # ``ssl.SSLError`` is one of them; a file that holds no text makes it a ValueError.
    except (OSError, ValueError) as fault:
        raise ValidationError(f"Must be a file of CA certificates (PEM) that can be read: {fault}.") from fault


def _not_empty(items: list[str]) -> list[str]:
    return [item.strip() for item in items if item.strip()]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _explain(fault: EnvValidationError) -> str:
    messages = fault.error_messages
    if not isinstance(messages, Mapping):
        return " ".join(messages)
    return "\n".join(f"{name}: {' '.join(map(str, faults))}" for name, faults in sorted(messages.items()))
