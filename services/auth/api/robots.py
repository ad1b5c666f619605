"""Robot accounts and the rotation of their secrets."""

from datetime import timedelta
from http import HTTPStatus

from flask import Response

from services.auth.api.documents import forbid_keeping, page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.robot_schemas import (
    MadeRobotOutput,
    MadeSecretOutput,
    NewRobotInput,
    NewSecretInput,
    RobotChangeInput,
    RobotOutput,
    SecretOutput,
)
from services.auth.api.services import services
from services.auth.domain.lifetimes import Lifetime
from services.auth.domain.robots import NewRobot, RobotChange
from services.auth.storage.robots import ROBOTS, RobotView, SecretView
from services.auth.usecases.robot_secrets import MadeSecret, create_secret, revoke_secret, show_secret
from services.auth.usecases.robots import MadeRobot, change_robot, create_robot, remove_robot, show_robot, show_robots
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("robots", __name__, url_prefix="/api/v1/robots", description="Robot accounts")
blueprint.before_request(require_person)
blueprint.after_request(forbid_keeping)

_ROBOT = f"/<int(max={MAX_ID}):robot_id>"
_SECRET = f"{_ROBOT}/secrets/<int(max={MAX_ID}):secret_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("")
@blueprint.arguments(page_query(ROBOTS), location="query")
@blueprint.response(HTTPStatus.OK, RobotOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_robots(asked: ListRequest) -> Response:
    """List the robots of what the caller manages; administrators and auditors get all."""
    page = show_robots(subject(), asked, database=services().database, clock=services().clock)
    return page_response(RobotOutput(), page)


@blueprint.route("", methods=["POST"])
@blueprint.creates(".get_robot", robot_id="id")
@blueprint.arguments(NewRobotInput)
@blueprint.response(HTTPStatus.CREATED, MadeRobotOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def post_robot(new: NewRobot) -> MadeRobot:
    """Make a robot, for those who manage what it is to belong to; the answer alone holds its secret."""
    return create_robot(actor(), new, database=services().database, clock=services().clock)


@blueprint.route(_ROBOT)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, RobotOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_robot(robot_id: int) -> RobotView:
    """Show a robot."""
    return show_robot(subject(), robot_id, database=services().database, clock=services().clock)


@blueprint.route(_ROBOT, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(RobotChangeInput)
@blueprint.response(HTTPStatus.OK, RobotOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def put_robot(change: RobotChange, robot_id: int) -> RobotView:
    """Change a robot; a disabled one opens nothing from that moment on."""
    auth, expected = services(), if_match(RobotOutput())
    return change_robot(actor(), robot_id, change, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route(_ROBOT, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_robot(robot_id: int) -> None:
    """Delete a robot with its secrets and grants."""
    auth, expected = services(), if_match(RobotOutput())
    remove_robot(actor(), robot_id, expected=expected, database=auth.database, clock=auth.clock)


@blueprint.route(f"{_ROBOT}/secrets", methods=["POST"])
@blueprint.creates(".get_secret", secret_id="id")  # noqa: S106 - a name
@blueprint.arguments(NewSecretInput)
@blueprint.response(HTTPStatus.CREATED, MadeSecretOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def post_secret(wanted: tuple[Lifetime, timedelta | None], robot_id: int) -> MadeSecret:
    """Give a robot a second secret; the answer alone holds it."""
    auth, (lifetime, expire_old_in) = services(), wanted
    return create_secret(
        actor(), robot_id, lifetime, expire_old_in=expire_old_in, database=auth.database, clock=auth.clock
    )


@blueprint.route(_SECRET)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, SecretOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_secret(robot_id: int, secret_id: int) -> SecretView:
    """Show what may be known of a secret."""
    return show_secret(subject(), robot_id, secret_id, database=services().database, clock=services().clock)


@blueprint.route(_SECRET, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_secret(robot_id: int, secret_id: int) -> None:
    """Revoke a secret; it opens nothing from that moment on."""
    auth, expected = services(), if_match(SecretOutput())
    revoke_secret(actor(), robot_id, secret_id, expected=expected, database=auth.database, clock=auth.clock)
