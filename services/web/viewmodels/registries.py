"""Registries in words."""

from collections.abc import Iterable, Mapping, Sequence

from flask import url_for
from flask_babel import gettext, lazy_gettext

from services.web.clients.registries import Registry
from services.web.viewmodels.tables import Cell, Column, Row, Table

PUSH_POLICIES = {
    "": lazy_gettext("as everywhere in the installation"),
    "allow-teams": lazy_gettext("contributors and owners of the team"),
    "allow-personal": lazy_gettext("everybody in their own namespace, elsewhere administrators"),
    "admin-only": lazy_gettext("administrators only"),
}
"""Who may push, and what that means."""

DELETE_POLICIES = {
    "": lazy_gettext("as everywhere in the installation"),
    "nobody": lazy_gettext("nobody"),
    "owners": lazy_gettext("owners"),
    "contributors": lazy_gettext("owners and contributors"),
}
"""Who may delete."""


def present_registries(registries: Sequence[Registry], checked: Mapping[int, Iterable[str]]) -> Table:
    """Turn registries into a table.

    Args:
        checked: what is wrong with those that were asked, by id.
    """
    return Table(
        columns=(
            Column(gettext("Registry")),
            Column(gettext("Address"), "phrase"),
            Column(gettext("Service"), "phrase"),
            Column(gettext("State"), "phrase"),
        ),
        rows=[
            Row(
                (
                    Cell(one.name, link=url_for("admin_registry", number=one.id)),
                    Cell(one.external_hostname or one.hostname, note=one.hostname if one.external_hostname else ""),
                    Cell(one.service, code=True),
                    present_state(checked.get(one.id)),
                )
            )
            for one in registries
        ],
        empty=gettext("No registries"),
    )


def present_state(faults: Iterable[str] | None) -> Cell:
    """Say whether a registry is reached; ``None``: it was not asked."""
    if faults is None:
        return Cell(gettext("open it to check it"))
    said = "; ".join(faults)
    return Cell(said, badge="refused") if said else Cell(gettext("reached"), badge="allowed")
