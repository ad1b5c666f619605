"""Where webhooks are at home: in a namespace, or in the administration for the whole installation."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext

from services.web.clients.errors import NotFound
from services.web.clients.places import Namespace
from services.web.clients.sessions import Visitor
from services.web.clients.webhooks import Webhook
from services.web.pages.admin import require_admin
from services.web.pages.namespaces import find_namespace, place
from services.web.pages.portal import Portal
from services.web.pages.visitors import require_visitor


@dataclass(frozen=True, slots=True)
class Home:
    """One place that has webhooks, for one visitor."""

    visitor: Visitor
    namespace: Namespace | None
    """``None``: the whole installation."""

    @property
    def namespace_id(self) -> int | None:
        return self.namespace.id if self.namespace else None

    @property
    def managed(self) -> bool:
        """Whether the visitor makes webhooks here, as far as this is known."""
        if self.namespace:
            return self.namespace.managed
        return bool(self.visitor.person and self.visitor.person.admin)

    @property
    def frame(self) -> str:
        """The template of its other parts."""
        return "namespace_base.html" if self.namespace else "admin_base.html"

    @property
    def steps(self) -> Sequence[tuple[str, str | None]]:
        """The way back to its list."""
        listed = (gettext("Webhooks"), self.address("list"))
        if self.namespace is None:
            return [(gettext("Administration"), url_for("admin")), listed]
        return [
            (gettext("Namespaces"), url_for("namespaces")),
            (self.namespace.name, place(self.namespace, "namespace")),
            listed,
        ]

    def address(self, page: str, **parts: object) -> str:
        """Return the address of one of its pages.

        Args:
            page: as the table of addresses calls it; see ``endpoint_of``.
        """
        endpoint = endpoint_of(page, is_namespace=self.namespace is not None)
        if self.namespace:
            return place(self.namespace, endpoint, **parts)
        return url_for(endpoint, **parts)  # type: ignore[arg-type]

    def get(self, portal: Portal, number: int) -> Webhook:
        """Return one of its webhooks.

        Raises:
            NotFound: there is none, the visitor may not see it, or it is of another place.
        """
        webhook = portal.webhooks.get(self.visitor, number)
        if webhook.namespace_id != self.namespace_id:
            raise NotFound("notifier")
        return webhook


def endpoint_of(page: str, *, is_namespace: bool) -> str:
    """Return what ``url_for`` knows a page by."""
    return f"{'namespace' if is_namespace else 'admin'}_webhooks_{page}"


def find_home(portal: Portal, name: str | None) -> Home:
    """Return the place of an address.

    Args:
        name: of the namespace; ``None``: the whole installation.

    Raises:
        NotFound: there is no such namespace, or the visitor may not see it.
        NotAllowed: the installation is not for the visitor to see.
    """
    if name is None:
        return Home(require_admin(portal), None)
    visitor = require_visitor(portal)
    return Home(visitor, find_namespace(portal, visitor, name))
