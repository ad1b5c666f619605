"""Retention rules and what they do, in tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext

from services.web.clients.retention import Immutable, Overwrite, Preview, Rule, Run, Verdict
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.said import say, say_all
from services.web.viewmodels.tables import Action, Cell, Column, Row, Table
from services.web.viewmodels.times import present_moment, present_time

ANY = "*"
"""The glob that leaves nothing out."""

_STATES = {
    "reported": lazy_gettext("reported"),
    "waiting": lazy_gettext("to be put back"),
    "restored": lazy_gettext("put back"),
    "superseded": lazy_gettext("moved on since"),
    "failed": lazy_gettext("could not be put back"),
}


def present_rules(rules: Sequence[Rule], now: datetime) -> Table:
    """Turn rules into a table."""
    return Table(
        columns=(
            Column(gettext("Rule")),
            Column(gettext("Where"), "phrase"),
            Column(gettext("What goes"), "phrase"),
            Column(gettext("Next run"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(rule.name, note="" if rule.enabled else gettext("switched off")),
                    Cell(_where(rule.namespace)),
                    Cell(_say(rule.terms)),
                    Cell(moment=present_moment(rule.next_run_at, now) if rule.enabled else None),
                ),
                _actions(rule),
            )
            for rule in rules
        ],
        empty=gettext("No rules"),
        hint=gettext("Without a rule every tag stays until somebody deletes it."),
    )


def present_runs(runs: Sequence[Run], now: datetime) -> Table:
    """Turn runs into a table."""
    return Table(
        columns=(
            Column(gettext("Run")),
            Column(gettext("Repositories"), "number"),
            Column(gettext("Kept"), "number"),
            Column(gettext("Deleted"), "number"),
            Column(gettext("Failed"), "number"),
            Column(gettext("Began"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(
                        gettext("run %(number)s", number=run.id),
                        link=url_for("admin_retention_run", number=run.id),
                        note=say(run.fault) if run.fault else ("" if run.finished_at else gettext("under way")),
                    ),
                    Cell(present_count(run.repositories)),
                    Cell(present_count(run.kept)),
                    Cell(present_count(run.deleted)),
                    Cell(present_count(run.failed)),
                    Cell(moment=present_time(run.started_at, now)),
                )
            )
            for run in runs
        ],
        empty=gettext("No runs yet"),
    )


def present_preview(preview: Preview) -> Table:
    """Turn what a rule would do into a table."""
    return _verdicts(
        [
            (one, gettext("goes") if one.goes else gettext("stays"), "refused" if one.goes else "allowed")
            for one in preview.verdicts
        ],
        gettext("The rule is about no tag"),
    )


def present_outcomes(outcomes: Sequence[Verdict]) -> Table:
    """Turn what a run did into a table."""
    return _verdicts(
        [
            (one, gettext("stays") if one.fault else gettext("deleted"), "refused" if one.fault else "allowed")
            for one in outcomes
        ],
        gettext("No tag had to go"),
    )


def present_immutable(rules: Sequence[Immutable]) -> Table:
    """Turn rules for tags that must not move into a table."""
    return Table(
        columns=(
            Column(gettext("Tags")),
            Column(gettext("Where"), "phrase"),
            Column(gettext("When one is moved"), "phrase"),
        ),
        rows=[
            Row(
                (
                    Cell(", ".join(rule.tags)),
                    Cell(
                        _where(rule.namespace),
                        note=", ".join(rule.repositories) if list(rule.repositories) != [ANY] else "",
                    ),
                    Cell(gettext("it is put back") if rule.restores else gettext("it is reported")),
                ),
                (
                    Action(
                        gettext("Take back"),
                        url_for("delete_admin_immutable", number=rule.id),
                        ", ".join(rule.tags),
                        danger=True,
                    ),
                ),
            )
            for rule in rules
        ],
        empty=gettext("Every tag may move"),
    )


def present_overwrites(overwrites: Sequence[Overwrite], now: datetime) -> Table:
    """Turn tags that were moved into a table."""
    return Table(
        columns=(
            Column(gettext("Tag")),
            Column(gettext("Who"), "phrase"),
            Column(gettext("State"), "phrase"),
            Column(gettext("When"), "moment"),
        ),
        rows=[
            Row(
                (
                    Cell(f"{one.repository}:{one.tag}", link=url_for("history", name=one.repository, tag=one.tag)),
                    Cell(one.actor or gettext("unknown")),
                    Cell(str(_STATES.get(one.state, one.state)), note=say(one.fault or "")),
                    Cell(moment=present_time(one.at, now)),
                ),
                actions=_overwrite_actions(one),
            )
            for one in overwrites
        ],
        empty=gettext("No such tag was moved"),
    )


def _overwrite_actions(one: Overwrite) -> Sequence[Action]:
    if one.state != "failed":
        return ()
    return (
        Action(gettext("Try again"), url_for("retry_admin_overwrite", number=one.id), f"{one.repository}:{one.tag}"),
    )


def _verdicts(rows: Sequence[tuple[Verdict, str, str]], empty: str) -> Table:
    return Table(
        columns=(Column(gettext("Tag")), Column(gettext("Verdict"), "phrase"), Column(gettext("Why"), "phrase")),
        rows=[
            Row(
                (
                    Cell(f"{one.repository}:{one.tag}", link=url_for("repository", name=one.repository)),
                    Cell(said, badge=kind),
                    Cell(say_all(one.reason), note=say(one.fault or "")),
                )
            )
            for one, said, kind in rows
        ],
        empty=empty,
    )


def _actions(rule: Rule) -> tuple[Action, ...]:
    state = "off" if rule.enabled else "on"
    text = gettext("Switch off") if rule.enabled else gettext("Switch on")
    return (
        Action(gettext("Run now"), url_for("run_admin_rule", number=rule.id), rule.name),
        Action(text, url_for("switch_admin_rule", number=rule.id, state=state), rule.name),
        Action(gettext("Delete"), url_for("delete_admin_rule", number=rule.id), rule.name, danger=True),
    )


def _where(namespace: str | None) -> str:
    if namespace is None:
        return gettext("the whole installation")
    return namespace or gettext("the global namespace")


def _say(terms: Mapping[str, Any]) -> str:
    said = []
    if (newest := terms.get("keep_newest")) is not None:
        by_version = terms.get("newest") == "version"
        said.append(
            gettext("all but the newest %(count)s by version", count=newest)
            if by_version
            else gettext("all but the newest %(count)s", count=newest)
        )
    if days := terms.get("older_than_days"):
        said.append(gettext("older than %(count)s days", count=days))
    if days := terms.get("unpulled_days"):
        said.append(gettext("not pulled for %(count)s days", count=days))
    said += [gettext("only %(tags)s", tags=", ".join(globs)) for globs in _narrowing(terms)]
    if labels := terms.get("labels"):
        said.append(gettext("only with one of the labels %(labels)s", labels=_labels(labels)))
    if tags := terms.get("except_tags"):
        said.append(gettext("never %(tags)s", tags=", ".join(tags)))
    if labels := terms.get("except_labels"):
        said.append(gettext("never with one of the labels %(labels)s", labels=_labels(labels)))
    return "; ".join(said)


def _narrowing(terms: Mapping[str, Any]) -> list[Sequence[str]]:
    """Return the globs of repositories and of tags that leave something out."""
    return [globs for name in ("repositories", "tags") if (globs := terms.get(name)) and globs != [ANY]]


def _labels(labels: Mapping[str, str | None]) -> str:
    return ", ".join(key if value is None else f"{key}={value}" for key, value in labels.items())
