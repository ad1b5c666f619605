"""Two processes issue tokens, a real registry takes them, and the key changes twice under way.

What is counted is refusals: by the registry, of tokens for it; by either process, of access tokens that
the other one issued a moment before.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from services.auth.signing.access_tokens import TYPE
from tests.conftest import RegistryFactory
from tests.support.auth import SERVICE
from tests.support.auth_commands import ROOT, auth_environment, prepare_auth, run_auth, serving_auth
from tests.support.ports import free_port
from tests.support.registry import Registry
from tests.support.waiting import wait_until

MANIFEST = "/v2/root/app/manifests/latest"
"""There is none: 404 means that the registry let us look, 401 that it did not."""
PATIENCE_S = 120
"""For machines that do much else."""
PAUSE_S = 0.05
"""Between the rounds of a thread."""


@dataclass
class Load:
    """What the threads have met so far."""

    auths: tuple[str, str]
    registry: Registry
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Registry tokens by (address of the process, kid)."""
    access_kids: set[str] = field(default_factory=set)
    kept: dict[str, str] = field(default_factory=dict)
    """The first token of each kid."""
    refusals: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def pull(self) -> None:
        """Take a token of each process in turn and show it to the registry."""
        query = {"service": SERVICE, "scope": "repository:root/app:pull"}
        for url in self._turns():
            answer = requests.get(f"{url}/v2/token", params=query, auth=ROOT, timeout=30)
            if self._expect(answer, 200):
                token = answer.json()["token"]
                kid = jwt.get_unverified_header(token)["kid"]
                self.tokens[url, kid] += 1
                self.kept.setdefault(kid, token)
                self.show(token)

    def call(self) -> None:
        """Take an access token of one process and show it to the other, in turn."""
        one, other = self.auths
        credentials = {"username": ROOT[0], "password": ROOT[1]}
        session = requests.post(f"{one}/api/v1/sessions", json=credentials, timeout=30).json()
        for url in self._turns():
            form = {"refresh_token": session["refresh_token"]}
            answer = requests.post(f"{url}/api/v1/sessions/refresh", json=form, timeout=30)
            if self._expect(answer, 200):
                token = answer.json()["access_token"]
                self.access_kids.add(jwt.get_unverified_header(token)["kid"])
                peer = other if url == one else one
                self._expect(requests.get(f"{peer}/api/v1/users/self", headers=bearer(token), timeout=30), 200)

    def show(self, token: str) -> None:
        self._expect(requests.get(self.registry.url + MANIFEST, headers=bearer(token), timeout=30), 404)

    def kids(self, url: str) -> set[str]:
        return {kid for process, kid in list(self.tokens) if process == url}

    @property
    def issued(self) -> int:
        return sum(self.tokens.values())

    def _turns(self) -> Iterator[str]:
        # The pause leaves room on a small machine for the command that rotates.
        return itertools.takewhile(lambda _: not self.stop.wait(PAUSE_S), itertools.cycle(self.auths))

    def _expect(self, answer: requests.Response, status: int) -> bool:
        if answer.status_code != status:
            self.refusals.append(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
        return answer.status_code == status


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def rotate(environment: dict[str, str], load: Load) -> str:
    """Rotate with the command, and wait until both processes sign with the new leaf.

    They would read the table within a minute. That is too long for a test, so it does what makes them
    read at once: it shows them access tokens with a kid that they do not know.
    """
    known = set(load.kept)
    run_auth(environment, "rotate-keys", "--now")

    def both_sign() -> bool:
        for url in load.auths:
            token = jwt.encode({}, "x" * 32, headers={"typ": TYPE, "kid": "unknown"})
            assert requests.get(f"{url}/api/v1/users/self", headers=bearer(token), timeout=30).status_code == 401
        return all(load.kids(url) - known for url in load.auths)

    wait_until(both_sign, what="both processes sign with the new leaf", timeout_s=PATIENCE_S, every_s=0.3)
    (kid,) = set(load.kept) - known
    return kid


@pytest.fixture
def environment(tmp_path: Path, database_url: str) -> dict[str, str]:
    environment = auth_environment(tmp_path, database_url)
    prepare_auth(environment)
    return environment


@pytest.fixture
def load(environment: dict[str, str], tmp_path: Path, registry_factory: RegistryFactory) -> Iterator[Load]:
    token: dict[str, Any] = {
        "realm": "http://localhost/v2/token",
        "service": SERVICE,
        "issuer": "portus",
        "rootcertbundle": str(tmp_path / "data" / "ca" / "ca.crt"),
    }
    registry = registry_factory({"auth": {"token": token}})
    with ExitStack() as servers:
        one, other = (
            servers.enter_context(
                serving_auth({**environment, "PORTUS_AUTH_PORT": str(port)}, log=tmp_path / f"serve-{port}.log")
            )
            for port in (free_port(), free_port())
        )
        yield Load((one, other), registry)


def test_two_rotations_under_load_refuse_nothing(load: Load, environment: dict[str, str]) -> None:
    with ThreadPoolExecutor(4) as threads:
        jobs = [threads.submit(job) for job in (load.pull, load.pull, load.pull, load.call)]
        try:
            wait_until(lambda: load.issued >= 20 and load.access_kids, what="tokens flow", timeout_s=PATIENCE_S)
            kids = {*load.kept, rotate(environment, load), rotate(environment, load)}
            enough = load.issued + 20
            wait_until(
                lambda: load.issued >= enough and kids == load.access_kids,
                what="tokens of the last leaf flow",
                timeout_s=PATIENCE_S,
            )
        finally:
            load.stop.set()
            for job in jobs:
                job.result()
    # Whoever still holds a token of the first leaf goes on working.
    for token in load.kept.values():
        load.show(token)

    assert load.refusals == []
    assert len(kids) == 3
    assert all(load.kids(url) == kids for url in load.auths)
