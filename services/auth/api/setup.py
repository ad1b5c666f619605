"""Where nobody has signed in yet: the very first administrator, and people who make their own accounts."""

from http import HTTPStatus
from typing import Any

from services.auth.api.documents import forbid_keeping, refuses
from services.auth.api.identity import origin
from services.auth.api.schemas import BootstrapInput, NewUserInput, SetupOutput, UserOutput
from services.auth.api.services import services
from services.auth.api.setup_schemas import AdministratorOutput
from services.auth.storage.users import UserView
from services.auth.usecases.people import (
    MadeAdministrator,
    NewPerson,
    bootstrap_administrator,
    needs_administrator,
    sign_up,
)
from shared.api.blueprints import ApiBlueprint
from shared.config import Secret

blueprint = ApiBlueprint("setup", __name__, url_prefix="/api/v1", description="The first administrator, and signing up")
blueprint.after_request(forbid_keeping)


@blueprint.route("/setup")
@blueprint.doc(security=[])
@blueprint.response(HTTPStatus.OK, SetupOutput)
def show_setup() -> dict[str, bool]:
    """Tell whether the first administrator is still to be made, and whether people make their own accounts."""
    auth = services()
    needed = needs_administrator(allowed=auth.settings.first_user_admin, database=auth.database)
    return {"needs_administrator": needed, "signup": auth.settings.signup}


@blueprint.route("/users/bootstrap", methods=["POST"])
@blueprint.creates("users.get_user", repeatable=False, user_id="id")
@blueprint.doc(security=[])
@blueprint.arguments(BootstrapInput)
@blueprint.response(HTTPStatus.CREATED, AdministratorOutput)
@refuses(blueprint, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY)
def bootstrap(values: dict[str, Any]) -> MadeAdministrator:
    """Make the first administrator, as whoever comes first"""
    auth = services()
    wants_token = values.pop("token")
    return bootstrap_administrator(
        _person(values, administrator=True),
        origin=origin(),
        allowed=auth.settings.first_user_admin,
        token_rules=auth.settings.application_tokens if wants_token else None,
        database=auth.database,
        clock=auth.clock,
        passwords=auth.passwords,
    )


@blueprint.route("/users/signup", methods=["POST"])
@blueprint.creates("users.get_user", repeatable=False, user_id="id")
@blueprint.doc(security=[])
@blueprint.arguments(NewUserInput)
@blueprint.response(HTTPStatus.CREATED, UserOutput)
@refuses(blueprint, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS)
def post_signup(values: dict[str, Any]) -> UserView:
    """Make one's own account"""
    auth = services()
    return sign_up(
        _person(values),
        origin=origin(),
        allowed=auth.settings.signup,
        first_is_administrator=auth.settings.first_user_admin,
        database=auth.database,
        clock=auth.clock,
        passwords=auth.passwords,
    )


def _person(values: dict[str, Any], *, administrator: bool = False) -> NewPerson:
    return NewPerson(**values | {"password": Secret(values["password"])}, administrator=administrator)
