"""Notifications of registries: built, and as captured from real ones."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "fixtures" / "registry-events"
VERSIONS = ("2.8.2", "3.1.1")


@dataclass(frozen=True)
class Captured:
    """One request of a registry."""

    step: str
    content_type: str
    body: dict[str, Any]


def load_captured(version: str) -> list[Captured]:
    """Return what a registry of this version sent, in order."""
    lines = (_FOLDER / f"{version}.jsonl").read_text().splitlines()
    requests = [json.loads(line) for line in lines]
    return [Captured(request["step"], request["content_type"], request["body"]) for request in requests]


def make_event(
    id: str = "cb3bbb69-d039-43ec-8c7e-95690e8cd061",
    *,
    target: dict[str, Any] | None = None,
    request: dict[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Return a push of ``team-a/web:1.0``; a field given as ``None`` is left out."""
    event = {
        "id": id,
        "timestamp": "2026-11-23T08:22:20.685486696Z",
        "action": "push",
        "target": _without_none(
            {
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "size": 418,
                "digest": f"sha256:{'d1' * 32}",
                "repository": "team-a/web",
                "tag": "1.0",
                **(target or {}),
            }
        ),
        "request": _without_none(
            {
                "addr": "127.0.0.1:43014",
                "host": "localhost:5000",
                "method": "PUT",
                "useragent": "skopeo/1.9",
                **(request or {}),
            }
        ),
        "actor": {"name": "jane"},
        "source": {"addr": "registry:5000", "instanceID": "7eda372d-8c29-4fbe-bea5-6c83e1d74b28"},
    }
    return _without_none({**event, **fields})


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
