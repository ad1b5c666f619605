"""How two artifacts differ, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from services.web.clients.content import Change, Comparison, LayerRef
from services.web.viewmodels.manifests import MASK, looks_secret, mask_command
from services.web.viewmodels.names import DigestChip, present_digest
from services.web.viewmodels.sizes import present_size


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """Something that differs; ``None`` where it is missing."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer that both have, or one of them."""

    digest: DigestChip
    size: str | None
    command: str | None


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """How two artifacts differ."""

    before: DigestChip
    after: DigestChip
    same: bool
    sizes: tuple[str | None, str | None]
    grown: str | None
    """``+ 1.2 MiB``, ``− 3 B``."""
    sections: Sequence[tuple[str, Sequence[ChangeRow]]]
    shared: Sequence[LayerRow]
    added: Sequence[LayerRow]
    removed: Sequence[LayerRow]
    shared_size: str | None


def present_comparison(comparison: Comparison) -> ComparisonPage:
    """Turn a comparison into what its page shows."""
    before, after = comparison.before, comparison.after
    sections = (
        (gettext("Configuration"), comparison.config),
        (gettext("Environment"), comparison.env),
        (gettext("Labels"), comparison.labels),
        (gettext("Annotations"), comparison.annotations),
        (gettext("Platforms"), comparison.platforms),
    )
    return ComparisonPage(
        before=present_digest(before.digest),
        after=present_digest(after.digest),
        same=before.digest == after.digest,
        sizes=(present_size(before.size_bytes), present_size(after.size_bytes)),
        grown=_grown(before.size_bytes, after.size_bytes),
        sections=[(title, [_row(change) for change in changes]) for title, changes in sections if changes],
        shared=[_layer(layer) for layer in comparison.layers_shared],
        added=[_layer(layer) for layer in comparison.layers_added],
        removed=[_layer(layer) for layer in comparison.layers_removed],
        shared_size=present_size(sum(layer.size_bytes for layer in comparison.layers_shared)),
    )


def _grown(before: int | None, after: int | None) -> str | None:
    if before is None or after is None or before == after:
        return None
    return f"{'+' if after > before else '−'} {present_size(abs(after - before))}"


def _row(change: Change) -> ChangeRow:
    before, after = _text(change.before), _text(change.after)
    if looks_secret(change.name):
        # That it changed is shown; what it is or was is not.
        return ChangeRow(change.name, before and MASK, after and MASK)
    return ChangeRow(change.name, before and mask_command(before, ()), after and mask_command(after, ()))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _layer(layer: LayerRef) -> LayerRow:
    return LayerRow(
        present_digest(layer.digest), present_size(layer.size_bytes), mask_command(layer.created_by or "", ()) or None
    )
