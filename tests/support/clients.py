"""The real clients, driven from tests: skopeo, buildah, podman, and the APIs as a script would call them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.parts import require_program

_PACKAGES = {
    "skopeo": "skopeo",
    "buildah": "buildah",
    "podman": "podman",
    "docker": "docker.io",
    "ctr": "containerd",
}


@dataclass(frozen=True)
class Outcome:
    """What a client printed and how it ended."""

    status: int
    output: str

    @property
    def succeeded(self) -> bool:
        return self.status == 0


def run_client(program: str, *arguments: str, timeout_s: float = 120, **environment: str) -> Outcome:
    """Run a client to its end; standard output and error are one text.

    Raises:
        Skipped: it is not installed; with ``CI=true`` the test fails instead.
    """
    command = [require_program(program, package=_PACKAGES[program]), *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout_s, env=_clean(environment)
    )
    return Outcome(done.returncode, done.stdout)


def _clean(environment: dict[str, str]) -> dict[str, str]:
    # Credentials of whoever runs the tests must not leak into them.
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/nonexistent",
        **environment,
    }


@dataclass(frozen=True)
class Skopeo:
    """skopeo as one person (``None``: anonymous) against one registry."""

    registry: str
    """``host:port``."""
    credentials: tuple[str, str] | None = None

    def push(self, layout: Path, tag: str, name: str, *, every_platform: bool = False) -> Outcome:
        extra = ["--all"] if every_platform else []
        return self._copy(
            f"oci:{layout}:{tag}", self._at(name), *extra, *self._creds("dest"), "--dest-tls-verify=false"
        )

    def pull(self, name: str, folder: Path) -> Outcome:
        return self._copy(self._at(name), f"dir:{folder}", *self._creds("src"), "--src-tls-verify=false")

    def copy(self, source: str, target: str) -> Outcome:
        """Copy inside the registry: layers are mounted where the caller may read the source."""
        both = (*self._creds("src"), *self._creds("dest"), "--src-tls-verify=false", "--dest-tls-verify=false")
        return self._copy(self._at(source), self._at(target), *both)

    def delete(self, name: str) -> Outcome:
        return run_client("skopeo", "delete", "--tls-verify=false", *self._creds(), self._at(name))

    def login(self, authfile: Path) -> Outcome:
        user, password = self.credentials or ("", "")
        return run_client(
            *("skopeo", "login", "--tls-verify=false", "--authfile", str(authfile)),
            *("--username", user, "--password", password, self.registry),
        )

    def _copy(self, source: str, target: str, *options: str) -> Outcome:
        return run_client("skopeo", "copy", "--insecure-policy", "--quiet", *options, source, target)

    def _at(self, name: str) -> str:
        return f"docker://{self.registry}/{name}"

    def _creds(self, side: str = "") -> list[str]:
        prefix = f"--{side}-" if side else "--"
        return [f"{prefix}creds", ":".join(self.credentials)] if self.credentials else [f"{prefix}no-creds"]


@dataclass(frozen=True)
class Buildah:
    """buildah or podman with a store of its own, as one person against one registry."""

    folder: Path
    """Its images and containers; made at first use."""
    credentials: tuple[str, str]
    program: str = "buildah"

    def make_image(self, name: str, *files: Path) -> Outcome:
        """Make an image of nothing but some files."""
        made = self.run("from", "scratch")
        if not made.succeeded:
            return made
        container = made.output.split()[-1]
        copied = self.run("copy", container, *map(str, files))
        return self.run("commit", "--quiet", container, name) if copied.succeeded else copied

    def push(self, image: str, name: str) -> Outcome:
        return self.run("push", "--quiet", *self._access(), image, f"docker://{name}")

    def pull(self, name: str) -> Outcome:
        return self.run("pull", "--quiet", *self._access(), f"docker://{name}")

    def run(self, command: str, *arguments: str) -> Outcome:
        # In a plain container there is neither overlay nor a user's session.
        store = ("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run"), "--storage-driver", "vfs")
        return run_client(self.program, *store, command, *arguments, BUILDAH_ISOLATION="chroot")

    def _access(self) -> tuple[str, ...]:
        return "--creds", ":".join(self.credentials), "--tls-verify=false"


class ApiClient:
    """One service's API as one person (``None``: anonymous), by Basic credentials."""

    def __init__(self, base_url: str, credentials: tuple[str, str] | None = None) -> None:
        self.base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.auth = credentials

    def get(self, path: str, *, expect: int = 200, **params: Any) -> Any:
        return self._call("GET", path, expect, params=params)

    def find(self, path: str, **params: Any) -> Any | None:
        """Return what is there, ``None`` when nothing is (404)."""
        answer = self._ask("GET", path, 200, 404, params=params)
        return answer.json() if answer.ok else None

    def post(self, path: str, body: Any, *, expect: int = 201) -> Any:
        return self._call("POST", path, expect, json=body)

    def put(self, path: str, body: Any, *, expect: int = 200) -> Any:
        return self._call("PUT", path, expect, json=body)

    def delete(self, path: str, *, expect: int = 204) -> Any:
        return self._call("DELETE", path, expect)

    def _call(self, method: str, path: str, expect: int, **options: Any) -> Any:
        answer = self._ask(method, path, expect, **options)
        return answer.json() if answer.content else None

    def _ask(self, method: str, path: str, *expect: int, **options: Any) -> requests.Response:
        answer = self._session.request(method, self.base_url + path, timeout=20, **options)
        assert answer.status_code in expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer
