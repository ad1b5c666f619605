"""The addresses of the portal, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

from flask import Flask, request

from services.web.pages import (
    admin,
    artifact,
    comparing,
    explain,
    helping,
    history,
    home,
    look,
    me,
    namespace_access,
    namespace_robots,
    namespaces,
    people,
    registries,
    repositories,
    repository,
    repository_deletion,
    retention,
    scans,
    search,
    setup,
    signing_in,
    signing_up,
    sync,
    teams,
    webhooks,
)
from services.web.pages.portal import Portal
from services.web.pages.visitors import require_visitor
from services.web.pages.webhook_homes import endpoint_of

View = Callable[..., Any]
"""Takes the portal first, then what the address holds."""


@dataclass(frozen=True, slots=True)
class Route:
    """One address and verb; ``name`` is what ``url_for`` knows it by."""

    method: str
    path: str
    name: str
    view: View


GENERAL = (
    Route("GET", "/", "home", home.show_home),
    Route("GET", "/sign-in", "sign_in", signing_in.show_sign_in),
    Route("POST", "/sign-in", "send_sign_in", signing_in.sign_in),
    Route("GET", "/sign-up", "sign_up", signing_up.show_sign_up),
    Route("POST", "/sign-up", "send_sign_up", signing_up.sign_up),
    Route("GET", "/help", "help", helping.show_help),
    Route("POST", "/sign-out", "sign_out", signing_in.sign_out),
    Route("GET", "/forgotten", "forgotten", signing_in.show_forgotten),
    Route("GET", "/setup", "setup", setup.show_setup),
    Route("POST", "/setup", "send_setup", setup.set_up),
    Route("POST", "/look", "look", look.choose_look),
    Route("GET", "/explain", "explain", explain.show_explain),
    Route("GET", "/explain/-/simulate", "simulate", explain.show_simulation),
    Route("GET", "/explain/<decision_id>", "decision", explain.show_decision),
    Route("GET", "/explore", "explore", repositories.show_explore),
    Route("GET", "/search", "search", search.show_search),
    Route("GET", "/search/suggestions", "suggestions", search.suggest),
    Route("GET", "/repositories", "repositories", repositories.show_repositories),
    Route("GET", "/ghosts", "ghosts", repositories.show_ghosts),
)

REPOSITORY = (
    # Names nest, so that the parts of a repository live behind "/-/", which no name can hold.
    Route("GET", "/r/<path:name>/-/tags/<tag>", "tag", artifact.show_tag),
    Route("GET", "/r/<path:name>/-/digests", "repository_digests", repository.show_digests),
    Route("GET", "/r/<path:name>/-/activity", "repository_activity", repository.show_activity),
    Route("GET", "/r/<path:name>/-/access", "repository_access", repository.show_access),
    Route("GET", "/r/<path:name>/-/digests/<digest>", "digest", artifact.show_digest),
    Route("GET", "/r/<path:name>/-/vulnerabilities/<digest>", "vulnerabilities", scans.show_vulnerabilities),
    Route("POST", "/r/<path:name>/-/vulnerabilities/<digest>/scan", "scan_again", scans.scan_again),
    Route("GET", "/r/<path:name>/-/history/<tag>", "history", history.show_history),
    Route("GET", "/r/<path:name>/-/history/<tag>/restore/<digest>", "restore", history.show_restore),
    Route("POST", "/r/<path:name>/-/history/<tag>/restore/<digest>", "send_restore", history.restore),
    Route("GET", "/r/<path:name>/-/untagged", "repository_untagged", repository.show_untagged),
    Route("GET", "/r/<path:name>/-/history", "repository_history", repository.show_writes),
    Route("GET", "/r/<path:name>/-/comments", "repository_comments", repository.show_comments),
    Route("POST", "/r/<path:name>/-/comments", "send_comment", repository.add_comment),
    Route("POST", "/r/<path:name>/-/comments/<int:number>/delete", "delete_comment", repository.delete_comment),
    Route("GET", "/r/<path:name>/-/settings", "repository_settings", repository.show_settings),
    Route("POST", "/r/<path:name>/-/settings", "send_repository_settings", repository.change_settings),
    Route("POST", "/r/<path:name>/-/star", "send_star", repository.star),
    Route("GET", "/r/<path:name>/-/tag-deletion", "tag_deletion", repository_deletion.show_tag_deletion),
    Route("POST", "/r/<path:name>/-/tag-deletion", "send_tag_deletion", repository_deletion.delete_tags),
    Route("GET", "/r/<path:name>/-/deletion", "repository_deletion", repository_deletion.show_deletion),
    Route("POST", "/r/<path:name>/-/deletion", "send_repository_deletion", repository_deletion.delete_repository),
    Route("GET", "/r/<path:name>/-/compare", "choose_comparison", comparing.choose),
    Route("GET", "/r/<path:name>/-/compare/<pair>", "compare", comparing.show_comparison),
    Route("GET", "/r/<path:name>", "repository", repository.show_repository),
)

ME = (
    Route("GET", "/me", "me", me.show_profile),
    Route("POST", "/me", "send_me", me.change_profile),
    Route("GET", "/me/password", "me_password", me.show_password),
    Route("POST", "/me/password", "send_password", me.change_password),
    Route("GET", "/me/tokens", "me_tokens", me.show_tokens),
    Route("POST", "/me/tokens", "send_token", me.create_token),
    Route("POST", "/me/tokens/<int:number>/revoke", "revoke_token", me.revoke_token),
    Route("GET", "/me/sessions", "me_sessions", me.show_sessions),
    Route("POST", "/me/sessions/others/end", "end_other_sessions", me.end_other_sessions),
    Route("POST", "/me/sessions/<key>/end", "end_session", me.end_one_session),
    Route("POST", "/me/logins/<int:number>/end", "end_login_session", me.end_login),
    Route("GET", "/me/off", "disabling", me.show_disabling),
    Route("POST", "/me/off", "send_disabling", me.disable),
)

NAMESPACES = (
    Route("GET", "/namespaces", "namespaces", namespaces.show_namespaces),
    Route("GET", "/namespaces/-/new", "new_namespace", namespaces.show_new_namespace),
    Route("POST", "/namespaces/-/new", "send_new_namespace", namespaces.create_namespace),
    Route("GET", "/namespaces/<name>", "namespace", namespaces.show_namespace),
    Route("GET", "/namespaces/<name>/settings", "namespace_settings", namespaces.show_settings),
    Route("POST", "/namespaces/<name>/settings", "send_namespace_settings", namespaces.change_settings),
    Route("POST", "/namespaces/<name>/freezes", "send_freeze", namespaces.freeze),
    Route("POST", "/namespaces/<name>/freezes/<int:number>/thaw", "send_thaw", namespaces.thaw),
    Route("GET", "/namespaces/<name>/deletion", "namespace_deletion", namespaces.show_deletion),
    Route("POST", "/namespaces/<name>/deletion", "send_namespace_deletion", namespaces.delete_namespace),
    Route("GET", "/namespaces/<name>/access", "namespace_access", namespace_access.show_access),
    Route("POST", "/namespaces/<name>/access", "send_grant", namespace_access.add_grant),
    Route("POST", "/namespaces/<name>/access/<int:number>/remove", "remove_grant", namespace_access.remove_grant),
    Route("GET", "/namespaces/<name>/robots", "namespace_robots", namespace_robots.show_robots),
    Route("GET", "/namespaces/<name>/robots/new", "new_robot", namespace_robots.show_new_robot),
    Route("POST", "/namespaces/<name>/robots/new", "send_new_robot", namespace_robots.create_robot),
    Route("GET", "/namespaces/<name>/robots/<int:number>", "namespace_robot", namespace_robots.show_robot),
    Route("POST", "/namespaces/<name>/robots/<int:number>/switch", "switch_robot", namespace_robots.switch_robot),
    Route("POST", "/namespaces/<name>/robots/<int:number>/secrets", "send_secret", namespace_robots.add_secret),
    Route(
        "POST",
        "/namespaces/<name>/robots/<int:number>/secrets/<int:secret>/revoke",
        "revoke_secret",
        namespace_robots.revoke_secret,
    ),
    Route("GET", "/namespaces/<name>/robots/<int:number>/deletion", "robot_deletion", namespace_robots.show_deletion),
    Route(
        "POST", "/namespaces/<name>/robots/<int:number>/deletion", "send_robot_deletion", namespace_robots.delete_robot
    ),
)


_HOOK_PAGES: tuple[tuple[str, str, str, View], ...] = (
    ("GET", "", "list", webhooks.show_webhooks),
    ("GET", "/new", "new", webhooks.show_new_webhook),
    ("POST", "/new", "create", webhooks.create_webhook),
    ("GET", "/<int:number>", "show", webhooks.show_webhook),
    ("GET", "/<int:number>/settings", "settings", webhooks.show_settings),
    ("POST", "/<int:number>/settings", "change", webhooks.change_webhook),
    ("POST", "/<int:number>/switch", "switch", webhooks.switch_webhook),
    ("POST", "/<int:number>/test", "test", webhooks.send_test),
    ("POST", "/<int:number>/headers", "add_header", webhooks.add_header),
    ("POST", "/<int:number>/headers/<int:header>/remove", "remove_header", webhooks.remove_header),
    ("GET", "/<int:number>/deliveries/<uuid:uuid>", "delivery", webhooks.show_delivery),
    ("POST", "/<int:number>/deliveries/<uuid:uuid>/retrigger", "retrigger", webhooks.retrigger),
    ("GET", "/<int:number>/deletion", "deletion", webhooks.show_deletion),
    ("POST", "/<int:number>/deletion", "delete", webhooks.delete_webhook),
)
"""Of a namespace, and of the whole installation."""

WEBHOOKS = tuple(
    Route(method, path + part, endpoint_of(page, is_namespace="<name>" in path), view)
    for path in ("/namespaces/<name>/webhooks", "/admin/webhooks")
    for method, part, page, view in _HOOK_PAGES
)

TEAMS = (
    Route("GET", "/teams", "teams", teams.show_teams),
    Route("GET", "/teams/-/new", "new_team", teams.show_new_team),
    Route("POST", "/teams/-/new", "send_new_team", teams.create_team),
    # A team's name may hold a slash, and anything else that can be typed.
    Route("GET", "/teams/<path:name>/-/namespaces", "team_namespaces", teams.show_namespaces),
    Route("GET", "/teams/<path:name>/-/settings", "team_settings", teams.show_settings),
    Route("POST", "/teams/<path:name>/-/settings", "send_team_settings", teams.change_settings),
    Route("GET", "/teams/<path:name>/-/deletion", "team_deletion", teams.show_deletion),
    Route("POST", "/teams/<path:name>/-/deletion", "send_team_deletion", teams.delete_team),
    Route("POST", "/teams/<path:name>/-/members", "send_new_member", teams.add_member),
    Route("POST", "/teams/<path:name>/-/members/<int:number>", "send_member", teams.change_member),
    Route("POST", "/teams/<path:name>/-/members/<int:number>/remove", "remove_member", teams.remove_member),
    Route("GET", "/teams/<path:name>", "team", teams.show_team),
)

ADMINISTRATION = (
    Route("GET", "/admin", "admin", admin.show_overview),
    Route("GET", "/admin/people", "admin_people", people.show_people),
    Route("GET", "/admin/people/-/new", "new_admin_person", people.show_new_person),
    Route("POST", "/admin/people/-/new", "send_new_admin_person", people.create_person),
    Route("GET", "/admin/people/<username>", "admin_person", people.show_person),
    Route("POST", "/admin/people/<username>", "send_admin_person", people.change_person),
    Route("POST", "/admin/people/<username>/password", "send_admin_person_password", people.give_password),
    Route("POST", "/admin/people/<username>/sessions/end", "end_admin_person_sessions", people.end_sessions),
    Route("GET", "/admin/people/<username>/credentials", "admin_credentials", people.show_credentials),
    Route(
        "POST",
        "/admin/people/<username>/tokens/<int:number>/revoke",
        "revoke_admin_person_token",
        people.revoke_token,
    ),
    Route("POST", "/admin/people/<username>/sessions/<key>/end", "end_admin_person_session", people.end_session),
    Route("POST", "/admin/people/<username>/logins/<int:number>/end", "end_admin_person_login", people.end_login),
    Route("GET", "/admin/people/<username>/deletion", "admin_person_deletion", people.show_deletion),
    Route("POST", "/admin/people/<username>/deletion", "send_admin_person_deletion", people.delete_person),
    Route("GET", "/admin/activities", "admin_activities", admin.show_activities),
    Route("GET", "/admin/activities.<any(csv, json):form>", "admin_activities_file", admin.fetch_activities),
    Route("GET", "/admin/decisions", "admin_decisions", admin.show_decisions),
    Route("GET", "/admin/registries", "admin_registries", registries.show_registries),
    Route("GET", "/admin/registries/-/new", "new_admin_registry", registries.show_new_registry),
    Route("POST", "/admin/registries/-/new", "send_new_admin_registry", registries.create_registry),
    Route("GET", "/admin/registries/<int:number>", "admin_registry", registries.show_registry),
    Route("POST", "/admin/registries/<int:number>", "send_admin_registry", registries.change_registry),
    Route("GET", "/admin/registries/<int:number>/deletion", "admin_registry_deletion", registries.show_deletion),
    Route(
        "POST", "/admin/registries/<int:number>/deletion", "send_admin_registry_deletion", registries.forget_registry
    ),
    Route("GET", "/admin/settings", "admin_settings", admin.show_settings),
    Route("GET", "/admin/retention", "admin_retention", retention.show_retention),
    Route("GET", "/admin/retention/new", "new_admin_retention", retention.show_new_rule),
    Route("POST", "/admin/retention/new", "send_admin_retention", retention.create_rule),
    Route("POST", "/admin/retention/<int:number>/run", "run_admin_rule", retention.run_rule),
    Route(
        "POST", "/admin/retention/<int:number>/switch/<any(on, off):state>", "switch_admin_rule", retention.switch_rule
    ),
    Route("POST", "/admin/retention/<int:number>/delete", "delete_admin_rule", retention.delete_rule),
    Route("GET", "/admin/retention/runs", "admin_retention_runs", retention.show_runs),
    Route("GET", "/admin/retention/runs/<int:number>", "admin_retention_run", retention.show_run),
    Route("GET", "/admin/retention/overwrites", "admin_retention_overwrites", retention.show_overwrites),
    Route("POST", "/admin/retention/overwrites/<int:number>/retry", "retry_admin_overwrite", retention.retry_overwrite),
    Route("POST", "/admin/retention/immutable", "send_admin_immutable", retention.add_immutable),
    Route(
        "POST", "/admin/retention/immutable/<int:number>/delete", "delete_admin_immutable", retention.delete_immutable
    ),
)

SYNC = (
    Route("GET", "/admin/sync", "admin_sync", sync.show_sync),
    Route("GET", "/admin/sync/crawls", "admin_crawls", sync.show_crawls),
    Route("POST", "/admin/sync/crawls", "start_admin_crawl", sync.start_crawl),
    Route("GET", "/admin/sync/loss-windows", "admin_windows", sync.show_windows),
    Route("GET", "/admin/sync/drift", "admin_drift", sync.show_drift),
    Route("GET", "/admin/sync/dead-letters", "admin_letters", sync.show_letters),
    Route("POST", "/admin/sync/<box>/<int:number>/replay", "replay_letter", sync.replay),
    Route("POST", "/admin/sync/<box>/<int:number>/drop", "drop_letter", sync.drop),
    Route("POST", "/admin/sync/<box>/replay", "replay_all_letters", sync.replay_all),
)

ROUTES = (*GENERAL, *REPOSITORY, *ME, *NAMESPACES, *WEBHOOKS, *TEAMS, *ADMINISTRATION, *SYNC)


BROWSED = frozenset({"explore", "search", "suggestions", *(route.name for route in REPOSITORY)})
"""What people see who are not signed in, where that is allowed: public repositories and what leads to them."""


def register_pages(app: Flask, portal: Portal) -> None:
    """Give every view the portal and its address."""

    @app.before_request
    def ask_to_sign_in() -> None:
        if not portal.anonymous_browsing and request.endpoint in BROWSED:
            require_visitor(portal)

    for route in ROUTES:
        # update_wrapper keeps the name and module, by which Flask-WTF looks views up.
        view = update_wrapper(partial(route.view, portal), route.view)
        app.add_url_rule(route.path, route.name, view, methods=[route.method])
