"""The very first administrator."""

from http import HTTPStatus
from typing import Any

from services.auth.api.documents import refuses
from services.auth.api.identity import origin
from services.auth.api.schemas import NewUserInput, SetupOutput, UserOutput
from services.auth.api.services import services
from services.auth.storage.users import UserView
from services.auth.usecases.people import NewPerson, bootstrap_administrator, needs_administrator
from shared.api.blueprints import ApiBlueprint
from shared.config import Secret

blueprint = ApiBlueprint("setup", __name__, url_prefix="/api/v1", description="The first administrator")


@blueprint.route("/setup")
@blueprint.doc(security=[])
@blueprint.response(HTTPStatus.OK, SetupOutput)
def show_setup() -> dict[str, bool]:
    """Tell whether the first administrator is still to be made."""
    auth = services()
    needed = needs_administrator(allowed=auth.settings.first_user_admin, database=auth.database)
    return {"needs_administrator": needed}


@blueprint.route("/users/bootstrap", methods=["POST"])
@blueprint.creates("users.get_user", repeatable=False, user_id="id")
@blueprint.doc(security=[])
@blueprint.arguments(NewUserInput)
@blueprint.response(HTTPStatus.CREATED, UserOutput)
@refuses(blueprint, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY)
def bootstrap(values: dict[str, Any]) -> UserView:
    """Make the first administrator, as whoever comes first."""
    auth = services()
    person = NewPerson(**values | {"password": Secret(values["password"])}, administrator=True)
    return bootstrap_administrator(
        person,
        origin=origin(),
        allowed=auth.settings.first_user_admin,
        database=auth.database,
        clock=auth.clock,
        passwords=auth.passwords,
    )
