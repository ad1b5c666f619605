"""What `portus up` runs: which commands, in which order, with which environment."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from cli.registry import dump_registry_configuration
from cli.secret_files import find_or_make_secret, write_private
from cli.settings import PORT_VARIABLES, UpSettings
from shared.old_names import OLD_NAMES

# Made up when not given: variable and file.
_SECRETS = {
    "PORTUS_INTERNAL_SECRET": "internal",
    "PORTUS_SERVICE_ACCOUNT_SECRET": "service-account",
    "PORTUS_NOTIFICATIONS_SECRET": "notifications",
    "PORTUS_WEB_SECRET_KEY": "web",
    "PORTUS_ADMIN_PASSWORD": "admin-password",
}


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the stack."""

    name: str
    """What stands in front of its lines; its log is ``<name>.log``."""
    command: tuple[str, ...]
    """Program and arguments."""
    ready_url: str | None = None
    """Answers below 500 once the process can work; ``None``: it is ready when it runs."""
    ends_first: bool = False
    """Whether it is stopped while the others still work, because it hands them its last words."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything to run."""

    environment: Mapping[str, str]
    """The whole environment of every process."""
    setup: tuple[Program, ...]
    """Commands that run to their end, all at once, before anything else."""
    waves: tuple[tuple[Program, ...], ...]
    """Processes that stay; a wave starts when the one before is ready."""


def make_plan(settings: UpSettings, registry_program: str, environment: Mapping[str, str]) -> Plan:
    """Plan the stack; writes the secrets and the registry's configuration.

    Args:
        settings: from the environment.
        registry_program: path of the registry's program.
        environment: the user's; what is in it wins over our defaults.
    """
    registry = Program(
        "registry",
        (registry_program, "serve", _write_registry_configuration(settings)),
        f"{settings.probe_url('registry')}/v2/",
        ends_first=True,
    )
    return Plan(
        environment=_environment(settings, environment),
        setup=(
            # In one process: to start Python and its packages takes longer than all that they do.
            _service("auth", "init-ca", "migrate", "topology", "ensure-admin"),
            _service("catalog", "migrate"),
            _service("notifier", "migrate"),
        ),
        waves=(
            (_server(settings, "auth"), _server(settings, "notifier"), registry),
            (
                *(_service(name, "worker") for name in ("auth", "notifier", "catalog")),
                _server(settings, "catalog"),
                _server(settings, "web"),
            ),
        ),
    )


def _service(name: str, *commands: str) -> Program:
    return Program(f"{name}-{commands[-1]}", (sys.executable, "-m", f"services.{name}", *commands))


def _server(settings: UpSettings, name: str) -> Program:
    command = (sys.executable, "-m", f"services.{name}", "serve")
    return Program(name, command, f"{settings.probe_url(name)}/readyz")


def _write_registry_configuration(settings: UpSettings) -> str:
    path = settings.data_dir / "registry.yml"
    made_up = find_or_make_secret(settings.secrets_dir / _SECRETS["PORTUS_NOTIFICATIONS_SECRET"])
    content = dump_registry_configuration(
        settings,
        notifications_secret=settings.notifications_secret or made_up,
        http_secret=find_or_make_secret(settings.secrets_dir / "registry-http"),
    )
    write_private(path, content)
    return str(path)


def _environment(settings: UpSettings, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of every process: ours, with the user's on top."""
    given = {name: value for name, value in given.items() if value or not name.startswith("PORTUS_")}
    ours = {
        "PORTUS_DATA_DIR": str(settings.data_dir),
        "PORTUS_CA_DIR": str(settings.ca_dir),
        "PORTUS_BIND": settings.bind,
        "PORTUS_AUTH_URL": settings.auth_url,
        "PORTUS_CATALOG_URL": settings.catalog_url,
        "PORTUS_NOTIFIER_URL": settings.notifier_url,
        "PORTUS_WEB_URL": settings.web_url,
        "PORTUS_REGISTRY_HOST": settings.registry_host,
        "PORTUS_REGISTRY_URL": f"http://localhost:{settings.ports['registry']}",
        "PORTUS_ADMIN_USERNAME": settings.admin_username,
        **{PORT_VARIABLES[name]: str(port) for name, port in settings.ports.items()},
        # distribution 3.x sends traces to a collector on this machine unless told not to.
        "OTEL_TRACES_EXPORTER": "none",
    }
    missing = {name: value for name, value in ours.items() if not _is_given(name, given)}
    # Temporary files lie where the next start finds and removes what a killed process has left.
    return {**given, **missing, **_secret_files(settings, given), "TMPDIR": str(settings.run_dir)}


def _secret_files(settings: UpSettings, given: Mapping[str, str]) -> dict[str, str]:
    # By file, because an environment can be read by more people than a file of mode 0600.
    files = {}
    for variable, name in _SECRETS.items():
        if not _is_given(variable, given):
            path = settings.secrets_dir / name
            find_or_make_secret(path)
            files[f"{variable}_FILE"] = str(path)
    return files


def _is_given(name: str, given: Mapping[str, str]) -> bool:
    names = [name, *(old.old for old in OLD_NAMES if old.new == name)]
    return any(one in given or f"{one}_FILE" in given for one in names)
