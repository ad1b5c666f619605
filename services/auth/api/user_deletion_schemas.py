"""What is asked and told when a person is deleted."""

from typing import Any

from marshmallow import Schema, fields, post_load

from services.auth.api.fields import text
from services.auth.api.namespace_schemas import DependantsOutput, UsageOutput
from services.auth.api.schemas import NamespaceRefOutput
from services.auth.domain.accounts import MAX_USERNAME_LENGTH
from services.auth.domain.teams import MAX_TEAM_NAME_LENGTH
from services.auth.usecases.delete_user import Heirs


class UserDeletionQuery(Schema):
    """What becomes of what a person leaves behind."""

    new_team = text(
        longest=MAX_TEAM_NAME_LENGTH, metadata={"description": "Name of the team that gets the personal namespace."}
    )
    delete_namespace = fields.Boolean(
        metadata={"description": "Whether the personal namespace goes, with all images in it."}
    )
    new_owner = text(
        longest=MAX_USERNAME_LENGTH,
        metadata={"description": "Username of who becomes owner of the teams that would have none."},
    )

    @post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Heirs:
        """Put the parts together."""
        return Heirs(**values)


class DeletedUserOutput(Schema):
    """A person, as far as a preview mentions them."""

    id = fields.Integer()
    username = fields.String()


class BelongingsOutput(Schema):
    """How much goes with a person."""

    application_tokens = fields.Integer()
    sessions = fields.Integer()
    refresh_tokens = fields.Integer(metadata={"description": "Logins that clients of the registry keep."})
    grants = fields.Integer()


class UserDeletionOutput(Schema):
    """What would go with a person, and what is to be settled before."""

    user = fields.Nested(DeletedUserOutput)
    namespace = fields.Nested(
        NamespaceRefOutput, attribute="user.namespace", allow_none=True, metadata={"description": "The personal one."}
    )
    images = fields.Nested(
        UsageOutput, attribute="usage", allow_none=True, metadata={"description": "In the personal namespace."}
    )
    dependants = fields.Nested(
        DependantsOutput, allow_none=True, metadata={"description": "What goes with the personal namespace."}
    )
    belongings = fields.Nested(BelongingsOutput)
    teams_count = fields.Function(
        lambda deletion: len(deletion.memberships), metadata={"type": "integer", "description": "Teams left."}
    )
    ownerless_teams = fields.List(
        fields.String(), metadata={"description": "Teams of which nobody else is an enabled owner."}
    )
    choices = fields.List(
        fields.String(),
        metadata={
            "description": "What the request that deletes has to say: `namespace` (`new_team` or "
            "`delete_namespace`), `new_owner`."
        },
    )
