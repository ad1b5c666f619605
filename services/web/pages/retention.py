"""``/admin/retention``: which tags go by themselves, and which must not move."""

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, request, url_for
from flask_babel import gettext, lazy_gettext
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from werkzeug.wrappers import Response as AnyResponse

from services.web.clients.errors import RequestRefused
from services.web.clients.retention import Preview
from services.web.pages.admin import onward, require_admin
from services.web.pages.frames import render
from services.web.pages.inputs import CheckedForm, load_after, load_form, load_list_query
from services.web.pages.portal import Portal
from services.web.pages.redirects import see_other
from services.web.viewmodels.paging import present_paging
from services.web.viewmodels.retention import (
    present_immutable,
    present_outcomes,
    present_overwrites,
    present_preview,
    present_rules,
    present_runs,
)
from shared.api.paging import PageRequest

SHOWN = 5
EVERYWHERE = "*"
"""Stands for the whole installation in the field of the namespace."""

DECIDING = ("keep_newest", "older_than_days", "unpulled_days")
"""Terms of which a rule needs one."""

_WHOLE = validate.Regexp(r"\d{0,5}", error=lazy_gettext("Write a whole number."))


class RuleForm(Schema):
    """A retention rule."""

    name = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Choose a name.")))
    namespace = fields.String(
        validate=validate.Length(min=1, error=lazy_gettext("Name a namespace, or * for the whole installation."))
    )
    keep_newest = fields.String(validate=_WHOLE)
    newest = fields.String(validate=validate.OneOf(("time", "version")))
    older_than_days = fields.String(validate=_WHOLE)
    unpulled_days = fields.String(validate=_WHOLE)
    repositories = fields.String()
    tags = fields.String()
    except_tags = fields.String()
    every_hours = fields.String(validate=_WHOLE)

    @validates_schema
    def check_terms(self, data: dict[str, str], **_: object) -> None:
        if not any(data.get(name) for name in DECIDING):
            raise ValidationError(gettext("Fill in this, an age, or how long nobody pulled."), "keep_newest")


class ImmutableForm(Schema):
    """Tags that must not move."""

    namespace = fields.String()
    repositories = fields.String()
    tags = fields.String(validate=validate.Length(min=1, error=lazy_gettext("Name some tags, such as v*.")))
    restores = fields.String()


def show_retention(portal: Portal) -> Response:
    """Show the rules, their last runs, and the tags that must not move."""
    return _show(portal, CheckedForm({"namespace": EVERYWHERE}))


def show_new_rule(portal: Portal) -> Response:
    """Ask for a new rule."""
    require_admin(portal)
    blank = CheckedForm({"namespace": EVERYWHERE, "every_hours": "24", "newest": "time", "tags": "*"})
    return render(portal, "admin_retention_new.html", form=blank, preview=None)


def create_rule(portal: Portal) -> AnyResponse:
    """Show what a rule would do; write it down only when that has been seen."""
    visitor, form = require_admin(portal), load_form(RuleForm())
    preview: Preview | None = None
    if not form.faults:
        namespace, terms = _namespace(form.values["namespace"]), _terms(form.values)
        try:
            if request.form.get("seen") == "yes":
                hours = int(form.values["every_hours"] or 24)
                values = {"name": form.values["name"], "namespace": namespace, "every_hours": hours, "terms": terms}
                portal.retention.add_rule(visitor, values)
                flash(gettext("The rule is written down. It runs for the first time in %(hours)s hours.", hours=hours))
                return see_other(url_for("admin_retention"))
            preview = portal.retention.preview(visitor, namespace, terms)
        except RequestRefused as refusal:
            form = form.refused(refusal.renamed({"terms": "keep_newest"}))
    return render(
        portal,
        "admin_retention_new.html",
        status=200 if preview else 422,
        form=form,
        preview=preview,
        table=present_preview(preview) if preview else None,
    )


def switch_rule(portal: Portal, number: int, state: str) -> AnyResponse:
    """Let a rule run by itself, or not."""
    return _do(portal, lambda visitor: portal.retention.change_rule(visitor, number, {"enabled": state == "on"}))


def run_rule(portal: Portal, number: int) -> AnyResponse:
    """Ask for a run now."""
    visitor = require_admin(portal)
    portal.retention.run(visitor, number)
    flash(gettext("The run begins within seconds."))
    return see_other(url_for("admin_retention"))


def delete_rule(portal: Portal, number: int) -> AnyResponse:
    """Take a rule away."""
    return _do(portal, lambda visitor: portal.retention.delete_rule(visitor, number))


def show_runs(portal: Portal) -> Response:
    """List the runs."""
    page = portal.retention.list_runs(require_admin(portal), load_list_query().page)
    table = present_runs(page.rows, portal.clock())
    return _list(portal, gettext("Runs"), table=table, pager=present_paging(page))


def show_run(portal: Portal, number: int) -> Response:
    """Show what a run did."""
    part = portal.retention.list_outcomes(require_admin(portal), number, load_after())
    table = present_outcomes(part.rows)
    older = url_for("admin_retention_run", number=number, after=part.following) if part.following else None
    newest = url_for("admin_retention_run", number=number)
    heading = gettext("Run %(number)s", number=number)
    return _list(portal, heading, table=table, following=part.following, newest=newest, older=older)


def show_overwrites(portal: Portal) -> Response:
    """List the tags that were moved though they must not."""
    part = portal.retention.list_overwrites(require_admin(portal), load_after())
    table = present_overwrites(part.rows, portal.clock())
    heading = gettext("Moved though they must not")
    return _list(portal, heading, table=table, **onward("admin_retention_overwrites", part.following, {}))


def retry_overwrite(portal: Portal, number: int) -> AnyResponse:
    """Have it tried again to put a tag back."""
    return _do(portal, lambda visitor: portal.retention.retry_overwrite(visitor, number))


def add_immutable(portal: Portal) -> AnyResponse:
    """Forbid tags to move."""
    visitor, form = require_admin(portal), load_form(ImmutableForm())
    if not form.faults:
        values: dict[str, Any] = {
            "namespace": _namespace(form.values["namespace"]),
            "tags": _globs(form.values["tags"]),
            "restores": form.values["restores"] == "yes",
        }
        if repositories := _globs(form.values["repositories"]):
            values["repositories"] = repositories
        try:
            portal.retention.add_immutable(visitor, values)
            flash(gettext("From now on these tags are watched."))
            return see_other(url_for("admin_retention"))
        except RequestRefused as refusal:
            form = form.refused(refusal)
    return _show(portal, form, status=422)


def delete_immutable(portal: Portal, number: int) -> AnyResponse:
    """Let tags move again."""
    return _do(portal, lambda visitor: portal.retention.delete_immutable(visitor, number))


def _list(portal: Portal, heading: str, **values: Any) -> Response:
    above = (gettext("Retention"), url_for("admin_retention"))
    return render(portal, "admin_list.html", heading=heading, above=above, **values)


def _do(portal: Portal, act: Any) -> AnyResponse:
    visitor = require_admin(portal)
    try:
        act(visitor)
        flash(gettext("Done."))
    except RequestRefused as refusal:
        said = "; ".join(" ".join(texts) for texts in refusal.faults.values())
        flash(said or refusal.detail)
    return see_other(url_for("admin_retention"))


def _show(portal: Portal, form: CheckedForm, *, status: int = 200) -> Response:
    visitor, query, now = require_admin(portal), load_list_query(), portal.clock()
    rules = portal.retention.list_rules(visitor, query.page)
    runs = portal.retention.list_runs(visitor, PageRequest(per_page=SHOWN))
    immutable = portal.retention.list_immutable(visitor, query.page)
    overwrites = portal.retention.list_overwrites(visitor, "")
    return render(
        portal,
        "admin_retention.html",
        status=status,
        rules=present_rules(rules.rows, now),
        runs=present_runs(runs.rows, now),
        immutable=present_immutable(immutable.rows),
        overwrites=present_overwrites(overwrites.rows[:SHOWN], now),
        pager=present_paging(max(rules, immutable, key=_total)),
        form=form,
    )


def _total(page: Any) -> int:
    total: int = page.total
    return total


def _namespace(value: str) -> str | None:
    return None if value in ("", EVERYWHERE) else value


def _terms(values: Mapping[str, str]) -> dict[str, Any]:
    terms: dict[str, Any] = {name: int(values[name]) for name in DECIDING if values[name]}
    terms |= {name: globs for name in ("repositories", "tags", "except_tags") if (globs := _globs(values[name]))}
    return terms | ({"newest": values["newest"]} if values["newest"] == "version" else {})


def _globs(value: str) -> list[str]:
    return value.replace(",", " ").split()
