"""One artifact, as its page shows it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext, lazy_gettext

from services.web.clients.artifacts import Artifact, ChildEntry, Config, LayerEntry, ReferrerEntry, Runs
from services.web.viewmodels.artifacts import artifact_label
from services.web.viewmodels.names import DigestChip, present_digest
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.sizes import present_size
from services.web.viewmodels.times import TimeText, present_time

MASK = "••••••••"
"""Stands for a value that looks secret; of one length, so that it does not tell the secret's."""

_LINK = re.compile(r"https?://[A-Za-z0-9.\-]+(?::[0-9]{1,5})?(?:/[^\s<>\"'\\^`{|}]*)?")
"""Addresses that may be followed: of the web, without a name and a password in front of the host."""

_SECRET_NAMED = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|api_?key|private_?key|access_?key|credential", re.IGNORECASE
)
# It begins at the edge of a word only: otherwise a long text without "=" would be gone through once a character.
_GIVEN = re.compile(r"(?<![A-Za-z0-9_.\-])(?P<name>[A-Za-z0-9_.\-]+)=(?P<value>\"[^\"]*\"|'[^']*'|\S+)")

_KINDS = {
    "signature": lazy_gettext("Signature"),
    "attestation": lazy_gettext("Attestation"),
    "sbom": lazy_gettext("Bill of materials"),
}

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Value:
    """A text, where it leads when it is an address of the web, and whether it was masked."""

    text: str
    link: str | None = None
    masked: bool = False


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A manifest that an index holds."""

    digest: DigestChip
    text: str
    size: str | None
    known: bool


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer; ``start`` and ``share`` are its place in the bar of all layers, in percent."""

    digest: DigestChip
    size: str | None
    start: float
    share: float
    command: str | None


@dataclass(frozen=True, slots=True)
class ReferrerRow:
    """Something that is about the artifact."""

    digest: DigestChip
    kind: str
    type: str | None
    size: str | None
    pushed: TimeText | None
    pushed_by: str | None


@dataclass(frozen=True, slots=True)
class ConfigFacts:
    """What a container is started with: single facts, variables, labels; and whether anything is masked."""

    facts: Sequence[tuple[str, str]]
    env: Sequence[tuple[str, Value]]
    labels: Sequence[tuple[str, Value]]


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """Everything about one artifact; ``has_secrets`` tells whether something looks secret, shown or not."""

    digest: DigestChip
    kind: str
    media_type: str | None
    platform: str | None
    size: str | None
    pushed: TimeText | None
    pushed_by: str | None
    seen: TimeText | None
    pulled: TimeText | None
    pulls: str
    known: bool
    readable: bool
    subject: DigestChip | None
    children: Sequence[ChildRow]
    layers: Sequence[LayerRow]
    config: ConfigFacts | None
    annotations: Sequence[tuple[str, Value]]
    indexes: Sequence[tuple[DigestChip, Sequence[str]]]
    tags: Sequence[str]
    referrers: int
    has_secrets: bool


def present_artifact(artifact: Artifact, now: datetime, *, reveal: bool) -> ArtifactPage:
    """Turn an artifact into what its page shows.

    Args:
        artifact: as the index knows it.
        now: the present moment.
        reveal: show what looks secret too.
    """
    values = _secret_values(artifact.config)
    return ArtifactPage(
        digest=present_digest(artifact.digest),
        kind=_kind(artifact),
        media_type=artifact.media_type,
        platform=present_runs(artifact.platform),
        size=present_size(artifact.size_bytes),
        pushed=present_time(artifact.pushed_at, now),
        pushed_by=artifact.pushed_by,
        seen=present_time(artifact.first_seen_at, now),
        pulled=present_time(artifact.pulled_at, now),
        pulls=present_count(artifact.pulls),
        known=artifact.known,
        readable=artifact.readable,
        subject=present_digest(artifact.subject) if artifact.subject else None,
        children=[_child(child) for child in artifact.children],
        layers=list(_layers(artifact.layers, () if reveal else values, reveal=reveal)),
        config=_config(artifact.config, reveal=reveal) if artifact.config else None,
        annotations=_pairs(artifact.annotations, reveal=reveal),
        indexes=[(present_digest(index.digest), index.tags) for index in artifact.indexes],
        tags=artifact.tags,
        referrers=artifact.referrers,
        has_secrets=_has_secrets(artifact),
    )


def present_referrers(entries: Sequence[ReferrerEntry], now: datetime) -> list[ReferrerRow]:
    """Turn what is about an artifact into rows."""
    return [
        ReferrerRow(
            digest=present_digest(entry.digest),
            kind=_referrer_kind(entry),
            type=entry.artifact_type or entry.media_type,
            size=present_size(entry.size_bytes),
            pushed=present_time(entry.pushed_at, now),
            pushed_by=entry.pushed_by,
        )
        for entry in entries
    ]


def present_runs(runs: Runs | None) -> str | None:
    """Return ``linux/arm/v7``, or ``windows(10.0.20348.2966)/amd64``."""
    if runs is None or (runs.os, runs.architecture) == ("unknown", "unknown"):
        return None
    system = f"{runs.os}({runs.os_version})" if runs.os_version else runs.os
    return "/".join(part for part in (system, runs.architecture, runs.variant) if part)


def present_value(text: str) -> Value:
    """Return a text, with where it leads if the whole of it is an address of the web."""
    return Value(text, link=text if _LINK.fullmatch(text) else None)


def looks_secret(name: str) -> bool:
    """Tell whether what has this name is not to be shown to everybody who passes by."""
    return _SECRET_NAMED.search(name) is not None


def mask_command(command: str, secrets: Sequence[str]) -> str:
    """Hide, in the command of a layer, what is given to a name that looks secret.

    Args:
        command: as the configuration has it.
        secrets: values of the environment that look secret, to be hidden wherever they stand.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        command = command.replace(secret, MASK)
    return _GIVEN.sub(_mask_given, command)


def _mask_given(given: re.Match[str]) -> str:
    return f"{given['name']}={MASK}" if _SECRET_NAMED.search(given["name"]) else given[0]


def _referrer_kind(entry: ReferrerEntry) -> str:
    known = _KINDS.get(entry.kind)
    return str(known) if known else artifact_label(entry.media_type, entry.artifact_type) or gettext("Other")


def _kind(artifact: Artifact) -> str:
    if artifact.children:
        return gettext("Index of several platforms")
    return artifact_label(artifact.media_type, artifact.artifact_type) or gettext("Image")


def _child(child: ChildEntry) -> ChildRow:
    text = (
        gettext("Attestation")
        if child.is_attestation
        else present_runs(child.platform) or child.media_type or gettext("unknown")
    )
    return ChildRow(present_digest(child.digest), text, present_size(child.size_bytes), child.size_bytes is not None)


def _layers(layers: Sequence[LayerEntry], secrets: Sequence[str], *, reveal: bool) -> Iterator[LayerRow]:
    whole = sum(layer.size_bytes for layer in layers) or 1
    before = 0
    for layer in layers:
        command = layer.created_by if reveal or not layer.created_by else mask_command(layer.created_by, secrets)
        yield LayerRow(
            digest=present_digest(layer.digest),
            size=present_size(layer.size_bytes),
            start=round(_PERCENT * before / whole, 2),
            share=round(_PERCENT * layer.size_bytes / whole, 2),
            command=command,
        )
        before += layer.size_bytes


def _config(config: Config, *, reveal: bool) -> ConfigFacts:
    facts = {
        gettext("Created"): config.created,
        gettext("Author"): config.author,
        gettext("User"): config.user,
        gettext("Working directory"): config.working_dir,
        gettext("Entry point"): " ".join(config.entrypoint),
        gettext("Command"): " ".join(config.cmd),
        gettext("Ports"): ", ".join(config.exposed_ports),
        gettext("Volumes"): ", ".join(config.volumes),
        gettext("Stop signal"): config.stop_signal,
    }
    hidden = () if reveal else _secret_values(config)
    return ConfigFacts(
        facts=[(name, fact if reveal else mask_command(fact, hidden)) for name, fact in facts.items() if fact],
        env=[_variable(entry, config.secret_env, reveal=reveal) for entry in config.env],
        labels=_pairs(config.labels, reveal=reveal),
    )


def _variable(entry: str, secret: Sequence[str], *, reveal: bool) -> tuple[str, Value]:
    name, _equals, value = entry.partition("=")
    if (name in secret or _SECRET_NAMED.search(name)) and value and not reveal:
        return name, Value(MASK, masked=True)
    return name, present_value(value)


def _pairs(pairs: Mapping[str, str], *, reveal: bool) -> list[tuple[str, Value]]:
    return [(key, _pair(key, value, reveal=reveal)) for key, value in sorted(pairs.items())]


def _pair(key: str, value: str, *, reveal: bool) -> Value:
    hide = not reveal and value and _SECRET_NAMED.search(key)
    return Value(MASK, masked=True) if hide else present_value(value)


def _secret_values(config: Config | None) -> list[str]:
    if config is None:
        return []
    given = (entry.partition("=") for entry in config.env)
    # Hiding every "1" or "no" would leave no command to read.
    return [
        value
        for name, _, value in given
        if len(value) >= 4 and (name in config.secret_env or _SECRET_NAMED.search(name))
    ]


def _has_secrets(artifact: Artifact) -> bool:
    config = artifact.config
    names = [*artifact.annotations, *(config.labels if config else ())]
    commands = [layer.created_by or "" for layer in artifact.layers]
    return bool(
        (config and config.secret_env)
        or _secret_values(config)
        or any(_SECRET_NAMED.search(name) for name in names)
        or any(mask_command(command, ()) != command for command in commands)
    )
