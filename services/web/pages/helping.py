"""``/help``: how to log in, push and pull here, and what the registry's configuration has to say."""

from flask import Response, request

from services.web.clients.errors import NotAllowed, PeerAway, PeerBroken
from services.web.clients.sessions import Visitor
from services.web.pages.frames import chosen_runtime, render
from services.web.pages.portal import Portal
from services.web.pages.visitors import find_visitor
from services.web.viewmodels.commands import push_commands
from services.web.viewmodels.helping import registry_configuration


def show_help(portal: Portal) -> Response:
    """Show the commands to everybody, and the configuration to administrators."""
    visitor = find_visitor(portal)
    person = visitor.person
    namespace = (person.namespace or person.username) if person else "team"
    return render(
        portal,
        "help.html",
        push=push_commands(
            portal.registry_host,
            username=person.username if person else None,
            repository=f"{namespace}/my-app",
            runtime=chosen_runtime(portal),
        ),
        configuration=_configuration(portal, visitor),
    )


def _configuration(portal: Portal, visitor: Visitor) -> str | None:
    """Return the registry's configuration; ``None`` for those who do not run it, and while it is not known."""
    if visitor.person is None or not (visitor.person.admin or visitor.person.auditor):
        return None
    try:
        settings = {one.name: str(one.value) for one in portal.administration.list_settings(visitor)}
    except (PeerAway, PeerBroken, NotAllowed):
        return None
    return registry_configuration(request.host_url.rstrip("/"), settings)
