"""What is frozen in a namespace: nobody pushes to it, and everybody who tries is told why."""

from http import HTTPStatus

from flask import Response
from marshmallow import Schema, fields, post_load

from services.auth.api.documents import page_response, refuses
from services.auth.api.fields import MAX_ID, Input, text
from services.auth.api.identity import actor, require_person, subject
from services.auth.api.services import services
from services.auth.domain.freezes import MAX_FREEZE_REASON_LENGTH, NewFreeze
from services.auth.storage.freezes import FREEZES, FreezeView
from services.auth.usecases.freezes import change_reason, freeze, show_freeze, show_freezes, unfreeze
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("freezes", __name__, url_prefix="/api/v1/namespaces", description="Freezes")
blueprint.before_request(require_person)

_FREEZES = f"/<int(max={MAX_ID}):namespace_id>/freezes"
_FREEZE = f"{_FREEZES}/<int(max={MAX_ID}):freeze_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_REPOSITORY = "Full name of one repository, which need not be there yet; null: the whole namespace."


class FreezeOutput(Schema):
    """A freeze; ``repository`` is null when the whole namespace is frozen."""

    id = fields.Integer()
    namespace_id = fields.Integer()
    repository = fields.Function(
        lambda freeze: freeze.repository or None, metadata={"type": ["string", "null"], "description": _REPOSITORY}
    )
    reason = fields.String()
    created_by = fields.String()
    created_at = fields.AwareDateTime()


class ReasonInput(Input):
    """Why something is frozen; whoever tries to push reads it."""

    reason = text(shortest=1, longest=MAX_FREEZE_REASON_LENGTH, required=True)


class NewFreezeInput(ReasonInput):
    """What is to be frozen, and why."""

    repository = text(
        shortest=1, longest=255, load_default=None, allow_none=True, metadata={"description": _REPOSITORY}
    )

    @post_load
    def build(self, values: dict[str, str | None], **_options: object) -> NewFreeze:
        """Put the parts together."""
        return NewFreeze(values["reason"] or "", values["repository"] or "")


@blueprint.route(_FREEZES)
@blueprint.arguments(page_query(FREEZES), location="query")
@blueprint.response(HTTPStatus.OK, FreezeOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_freezes(asked: ListRequest, namespace_id: int) -> Response:
    """List what is frozen in a namespace; for members of its team."""
    page = show_freezes(subject(), namespace_id, asked, database=services().database, clock=services().clock)
    return page_response(FreezeOutput(), page)


@blueprint.route(_FREEZES, methods=["POST"])
@blueprint.creates(".get_freeze", namespace_id="namespace_id", freeze_id="id")
@blueprint.arguments(NewFreezeInput)
@blueprint.response(HTTPStatus.CREATED, FreezeOutput)
@refuses(blueprint, *_REFUSED)
def post_freeze(new: NewFreeze, namespace_id: int) -> FreezeView:
    """Let nobody push to the namespace or to one repository of it; for owners of the team. Pulls go on."""
    return freeze(actor(), namespace_id, new, database=services().database, clock=services().clock)


@blueprint.route(_FREEZE)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, FreezeOutput)
@refuses(blueprint, *_REFUSED)
def get_freeze(namespace_id: int, freeze_id: int) -> FreezeView:
    """Show a freeze; for members of the team."""
    auth = services()
    return show_freeze(subject(), namespace_id, freeze_id, database=auth.database, clock=auth.clock)


@blueprint.route(_FREEZE, methods=["PUT"])
@blueprint.versioned
@blueprint.arguments(ReasonInput)
@blueprint.response(HTTPStatus.OK, FreezeOutput)
@refuses(blueprint, *_REFUSED)
def put_freeze(values: dict[str, str], namespace_id: int, freeze_id: int) -> FreezeView:
    """Say otherwise why something is frozen; for owners of the team."""
    auth, expected = services(), if_match(FreezeOutput())
    return change_reason(
        actor(),
        namespace_id,
        freeze_id,
        values["reason"],
        expected=expected,
        database=auth.database,
        clock=auth.clock,
    )


@blueprint.route(_FREEZE, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED)
def delete_freeze(namespace_id: int, freeze_id: int) -> None:
    """End a freeze; for owners of the team. Who could push before can push again."""
    auth, expected = services(), if_match(FreezeOutput())
    unfreeze(actor(), namespace_id, freeze_id, expected=expected, database=auth.database, clock=auth.clock)
