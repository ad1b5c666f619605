"""What an image's configuration says: how it starts, what it is called, how it was made.

Nothing in it is checked by anybody, and all of it is shown only, so everything is read that can be
and the rest counts as not said. Source: image-spec "Image Configuration"; Docker "Image Specification".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.catalog.domain.lenient import Malformed, find_strings, read_object

MAX_ENTRIES = 1000
"""So many entries of one list are read."""

MAX_ENTRY_LENGTH = 4096
"""Longer texts are cut."""


@dataclass(frozen=True, slots=True)
class BuildStep:
    """One entry of an image's history."""

    created: str | None = None
    created_by: str | None = None
    comment: str | None = None
    has_layer: bool = True
    """Whether the step made a layer, and did not only change the configuration."""


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """An image's configuration; times are as its maker wrote them."""

    created: str | None = None
    author: str | None = None
    os: str | None = None
    os_version: str | None = None
    architecture: str | None = None
    variant: str | None = None
    user: str | None = None
    working_dir: str | None = None
    stop_signal: str | None = None
    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Sequence[str] = ()
    exposed_ports: Sequence[str] = ()
    volumes: Sequence[str] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[BuildStep] = ()


def read_config(body: bytes) -> ImageConfig:
    """Read a configuration; what cannot be read at all says nothing."""
    try:
        fields = read_object(body)
    except Malformed:
        return ImageConfig()
    inner = _map(fields.get("config"))
    return ImageConfig(
        created=_word(fields.get("created")),
        author=_word(fields.get("author")),
        os=_word(fields.get("os")),
        os_version=_word(fields.get("os.version")),
        architecture=_word(fields.get("architecture")),
        variant=_word(fields.get("variant")),
        user=_word(inner.get("User")),
        working_dir=_word(inner.get("WorkingDir")),
        stop_signal=_word(inner.get("StopSignal")),
        entrypoint=_words(inner.get("Entrypoint")),
        cmd=_words(inner.get("Cmd")),
        env=_words(inner.get("Env")),
        exposed_ports=_keys(inner.get("ExposedPorts")),
        volumes=_keys(inner.get("Volumes")),
        labels=_labels(inner.get("Labels")),
        history=_history(fields.get("history")),
    )


def _history(value: object) -> Sequence[BuildStep]:
    steps = [_map(step) for step in value[:MAX_ENTRIES]] if isinstance(value, list) else []
    return tuple(
        BuildStep(
            created=_word(step.get("created")),
            created_by=_word(step.get("created_by")),
            comment=_word(step.get("comment")),
            has_layer=step.get("empty_layer") is not True,
        )
        for step in steps
    )


def _labels(value: object) -> Mapping[str, str]:
    found = list(find_strings(value).items())[:MAX_ENTRIES]
    return {key[:MAX_ENTRY_LENGTH]: text[:MAX_ENTRY_LENGTH] for key, text in found}


def _keys(value: object) -> Sequence[str]:
    return _words(sorted(_map(value)))


def _words(value: object) -> Sequence[str]:
    # The specification has lists of texts; old builders wrote a single text.
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(word for one in listed[:MAX_ENTRIES] if (word := _word(one)) is not None)


def _word(value: object) -> str | None:
    return value[:MAX_ENTRY_LENGTH] if isinstance(value, str) and value else None


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
