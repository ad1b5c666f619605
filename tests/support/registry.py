"""A real registry (distribution) with a configuration given as a dict."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

from tests.support.parts import require_program
from tests.support.ports import free_port
from tests.support.processes import Process
from tests.support.waiting import wait_until


class Registry:
    """A registry on loopback with a data folder of its own.

    Args:
        folder: holds configuration, data and log; kept over restarts.
        config: merged into the defaults: no auth, deletion enabled, no notifications. For example
            ``{"auth": {"token": {…}}, "notifications": {"endpoints": […]}}``.
        port: where it listens; default: a free port.
    """

    def __init__(self, folder: Path, config: Mapping[str, Any], *, port: int | None = None) -> None:
        self._program = require_program("docker-registry", "registry", package="docker-registry")
        self.port = port or free_port()
        self.host = f"localhost:{self.port}"
        self.url = f"http://{self.host}"
        self.folder = folder
        self.log = folder / "log"
        self._config = _merge(self._defaults(), config)
        self._process: Process | None = None

    def start(self) -> None:
        """Run it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "config.yml"
        # JSON is YAML.
        path.write_text(json.dumps(self._config, indent=2))
        self._process = Process([self._program, "serve", str(path)], log=self.log)
        wait_until(self._answers, what="the registry answers")

    def kill(self) -> None:
        """Kill it with -9; notifications that it still held are lost."""
        self._running.kill()

    def stop(self) -> None:
        """Stop it as a service manager would."""
        if self._process:
            self._process.stop()

    def restart(self) -> None:
        """Stop it and start it again on the same data."""
        self.stop()
        self.start()

    def collect_garbage(self) -> None:
        """Give back the storage of what nothing refers to; the registry should be stopped meanwhile."""
        command = [self._program, "garbage-collect", "--delete-untagged", str(self.folder / "config.yml")]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    @property
    def stored_bytes(self) -> int:
        """How much its blobs take."""
        blobs = self.folder / "data/docker/registry/v2/blobs"
        return sum(path.stat().st_size for path in blobs.rglob("data"))

    def pause(self) -> None:
        """Freeze it."""
        self._running.pause()

    def resume(self) -> None:
        """Let it go on."""
        self._running.resume()

    @property
    def _running(self) -> Process:
        assert self._process is not None, "the registry has not been started"
        return self._process

    def _answers(self) -> bool:
        if self._running.status is not None:
            raise RuntimeError(f"the registry ended:\n{self._running.output()[-2000:]}")
        try:
            # 401 is an answer too.
            requests.get(f"{self.url}/v2/", timeout=2)
        except requests.RequestException:
            return False
        return True

    def _defaults(self) -> dict[str, Any]:
        return {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {
                "filesystem": {"rootdirectory": str(self.folder / "data")},
                "delete": {"enabled": True},
                "maintenance": {"uploadpurging": {"enabled": False}},
            },
            "http": {"addr": f"127.0.0.1:{self.port}"},
        }


def _merge(base: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in extra.items():
        nested = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if nested else value
    return merged
