"""What the first administrator's maker is answered."""

from typing import Any

from marshmallow import fields, pre_dump

from services.auth.api.fields import flat
from services.auth.api.schemas import UserOutput
from services.auth.usecases.people import MadeAdministrator


class AdministratorOutput(UserOutput):
    """The first administrator; with the application token that came along, which is never shown again."""

    application = fields.String()
    plain_token = fields.String()

    @pre_dump
    def put_together(self, made: MadeAdministrator, **_options: Any) -> Any:
        """Put the token beside the account."""
        if made.token is None:
            return made.user
        return flat(made.user, application=made.token.token.name, plain_token=made.token.secret.reveal())
