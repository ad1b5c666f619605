"""What `portus up` takes from the environment; the rest passes through to the services as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from environs import Env
from marshmallow.validate import Range

from shared.config import Secret, data_file, read_settings

PORT_VARIABLES = {
    "web": "PORTUS_WEB_PORT",
    "auth": "PORTUS_AUTH_PORT",
    "catalog": "PORTUS_CATALOG_PORT",
    "notifier": "PORTUS_NOTIFIER_PORT",
    "registry": "PORTUS_REGISTRY_PORT",
}
DEFAULT_PORTS = {"web": 8080, "auth": 8081, "catalog": 8082, "notifier": 8083, "registry": 5000}


@dataclass(frozen=True, slots=True)
class UpSettings:
    """The one-machine stack."""

    data_dir: Path
    """Folder of everything that is kept, absolute."""
    bind: str
    """Address that all processes listen on."""
    ports: Mapping[str, int]
    """Port by name; the names are those of ``DEFAULT_PORTS``."""
    auth_url: str
    """Address of ``auth`` for clients of the registry too: the realm is made of it."""
    notifier_url: str
    """Address to which the registry sends its events."""
    registry_host: str
    """The registry as people type it in ``docker pull``."""
    web_url: str
    """The portal as people type it."""
    catalog_url: str
    """Address of ``catalog``."""
    registry_service: str
    """The registry's name for itself, the audience of its tokens."""
    issuer: str
    """Who issues the tokens."""
    ca_dir: Path
    """Folder with ``ca.crt``, which the registry trusts."""
    admin_username: str
    """The first administrator."""
    admin_password: Secret | None
    """The first administrator's password; ``None``: made up."""
    notifications_secret: Secret | None
    """What the registry proves itself with to ``notifier``; ``None``: made up."""

    @property
    def secrets_dir(self) -> Path:
        """Folder of the secrets that were made up."""
        return self.data_dir / "secrets"

    @property
    def run_dir(self) -> Path:
        """Folder of the processes' temporary files."""
        return self.data_dir / "run"

    @property
    def admin_password_file(self) -> Path:
        """Where the first administrator's password is kept when it was made up."""
        return self.secrets_dir / "admin-password"

    def probe_url(self, name: str) -> str:
        """Return the address at which one of the processes is asked for its health."""
        host = "127.0.0.1" if self.bind in ("0.0.0.0", "") else self.bind  # noqa: S104 - compared, not bound
        return f"http://{host}:{self.ports[name]}"


def load_up_settings() -> UpSettings:
    """Read the environment.

    Raises:
        SettingsError: one line per variable that is wrong.
    """
    return read_settings(_build)


def _build(env: Env) -> UpSettings:
    ports = {
        name: env.int(PORT_VARIABLES[name], default, validate=Range(1, 65535))
        for name, default in DEFAULT_PORTS.items()
    }
    return UpSettings(
        data_dir=data_file(env, "."),
        bind=_text(env, "PORTUS_BIND", "127.0.0.1"),
        ports=ports,
        auth_url=_text(env, "PORTUS_AUTH_URL", f"http://localhost:{ports['auth']}"),
        notifier_url=_text(env, "PORTUS_NOTIFIER_URL", f"http://localhost:{ports['notifier']}"),
        registry_host=_text(env, "PORTUS_REGISTRY_HOST", f"localhost:{ports['registry']}"),
        web_url=_text(env, "PORTUS_WEB_URL", f"http://localhost:{ports['web']}"),
        catalog_url=_text(env, "PORTUS_CATALOG_URL", f"http://localhost:{ports['catalog']}"),
        registry_service=_text(env, "PORTUS_REGISTRY_SERVICE", "portus-registry"),
        issuer=_text(env, "PORTUS_ISSUER", "portus"),
        ca_dir=Path(_text(env, "PORTUS_CA_DIR", str(data_file(env, "ca")))).absolute(),
        admin_username=_text(env, "PORTUS_ADMIN_USERNAME", "admin"),
        admin_password=_optional_secret(env, "PORTUS_ADMIN_PASSWORD"),
        notifications_secret=_optional_secret(env, "PORTUS_NOTIFICATIONS_SECRET"),
    )


def _text(env: Env, name: str, default: str) -> str:
    # `NAME=` on a command line is how people say "not given".
    return env.str(name, "") or default


def _optional_secret(env: Env, name: str) -> Secret | None:
    value = env.str(name, "")
    return Secret(value) if value else None
