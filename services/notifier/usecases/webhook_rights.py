"""Who may do what to webhooks: ``auth`` decides, for each call anew.

WebhookNotFound     there is none, or the caller may not see it
NamespaceNotFound   there is none, or the caller may not see it
DeliveryNotFound    the webhook has none of this name, or not any more
HeaderNotFound      the webhook has none of this number
WebhookPaused       it is another team's, and not taken over yet
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from services.notifier.storage.webhooks import StoredWebhook
from shared.visibility.answers import Rights
from shared.visibility.permissions import NotAllowed, NotSignedIn

SHOW, CREATE, MANAGE = "webhook.show", "webhook.create", "webhook.manage"
"""What ``auth`` calls it: to see webhooks, to make and delete them, to change them."""

MAX_NAMESPACE_ID = 2**31 - 1
"""``auth`` has none that is larger."""

FindRights = Callable[[int | None, Collection[str]], Rights]
"""Answers for the caller: namespace (``None``: the installation) and operations in."""


class WebhookNotFound(Exception):
    """There is no such webhook, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such webhook, or you may not see it.")


class NamespaceNotFound(Exception):
    """There is no such namespace, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such namespace, or you may not see it.")


class DeliveryNotFound(Exception):
    """The webhook has no such delivery, or not any more."""

    def __init__(self) -> None:
        super().__init__("The webhook has no such delivery. Old ones are not kept.")


class HeaderNotFound(Exception):
    """The webhook has no such header."""

    def __init__(self) -> None:
        super().__init__("The webhook has no such header.")


PAUSED = "The namespace went to another team: whoever gives its address anew takes it over."
"""Why a webhook rests."""


class WebhookPaused(Exception):
    """The webhook was made for another team, and nobody has taken it over yet."""

    def __init__(self) -> None:
        super().__init__(PAUSED)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller may do to the webhooks of one place."""

    username: str
    namespace: str | None
    """``None``: the whole installation."""
    team_id: int | None
    """Of the team that is in charge there now."""
    refusals: dict[str, str]
    """By operation, for the caller."""

    @property
    def may_show(self) -> bool:
        return SHOW not in self.refusals

    @property
    def may_create(self) -> bool:
        """Whether the caller may make and delete webhooks."""
        return CREATE not in self.refusals

    @property
    def may_manage(self) -> bool:
        """Whether the caller may change webhooks, and have them send."""
        return MANAGE not in self.refusals

    def is_foreign(self, webhook: StoredWebhook) -> bool:
        """Whether a webhook is another team's, from before the namespace went to this one.

        ``auth`` is believed before it has told the log: a webhook goes on for a moment, but shows nothing.
        """
        others = webhook.team_id is not None and webhook.team_id != self.team_id
        return webhook.transferred_at is not None or others

    def require_own(self, webhook: StoredWebhook) -> None:
        """Make sure that a webhook is not another team's.

        Raises:
            WebhookPaused: it is.
        """
        if self.is_foreign(webhook):
            raise WebhookPaused

    def require(self, operation: str) -> None:
        """Make sure that the caller may do something.

        Raises:
            NotAllowed: the caller may not.
        """
        if operation in self.refusals:
            raise NotAllowed(self.refusals[operation])


def find_standing(rights: FindRights, namespace_id: int | None) -> Standing:
    """Ask what the caller may do in a place.

    Args:
        namespace_id: ``None``: the whole installation.

    Raises:
        NotSignedIn: nobody is calling.
        NamespaceNotFound: see above.
    """
    if namespace_id is not None and not 0 <= namespace_id <= MAX_NAMESPACE_ID:
        raise NamespaceNotFound
    answer = rights(namespace_id, (SHOW, CREATE, MANAGE))
    if answer.caller is None:
        raise NotSignedIn
    if namespace_id is not None and answer.namespace is None:
        raise NamespaceNotFound
    refused = {name: one.reason for name, one in answer.permissions.items() if not one.allowed}
    if namespace_id is None:
        refused = dict.fromkeys(refused, "Only administrators manage webhooks of the whole installation.")
    return Standing(answer.caller.username, answer.namespace, answer.team_id, refused)
