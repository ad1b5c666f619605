"""Application tokens: one's own, and those of a person under the paths of the Portus API."""

from http import HTTPStatus

from flask import Response

from services.auth.api.application_token_schemas import MadeTokenOutput, NewTokenInput, TokenOutput
from services.auth.api.documents import forbid_keeping, page_response, refuses
from services.auth.api.fields import MAX_ID
from services.auth.api.identity import actor, require_reader, subject
from services.auth.api.services import services
from services.auth.domain.application_tokens import NewToken
from services.auth.storage.application_tokens import TOKENS, TokenView
from services.auth.usecases.application_tokens import MadeToken, create_token, revoke_token, show_token, show_tokens
from shared.api.blueprints import ApiBlueprint
from shared.api.etags import if_match
from shared.api.lists import page_query
from shared.api.paging import ListRequest

blueprint = ApiBlueprint("application_tokens", __name__, url_prefix="/api/v1", description="Application tokens")
# Whatever the use cases let pass concerns the caller's own tokens, or asks for an administrator.
blueprint.before_request(require_reader)
blueprint.after_request(forbid_keeping)

_USERS_TOKENS = f"/users/<int(max={MAX_ID}):user_id>/application_tokens"
_TOKEN = f"/application_tokens/<int(max={MAX_ID}):token_id>"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@blueprint.route("/application_tokens")
@blueprint.arguments(page_query(TOKENS), location="query")
@blueprint.response(HTTPStatus.OK, TokenOutput(many=True))
@refuses(blueprint, *_REFUSED)
def list_own_tokens(asked: ListRequest) -> Response:
    """List the caller's own application tokens, those that have expired too."""
    return _list(subject().user_id or 0, asked)


@blueprint.route("/application_tokens", methods=["POST"])
@blueprint.creates(".get_token", token_id="id")  # noqa: S106 - a name
@blueprint.arguments(NewTokenInput)
@blueprint.response(HTTPStatus.CREATED, MadeTokenOutput)
@refuses(blueprint, *_REFUSED)
def post_own_token(new: NewToken) -> MadeToken:
    """Make an application token for oneself; the answer alone holds its secret."""
    return _make(subject().user_id or 0, new)


@blueprint.route(_TOKEN)
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, TokenOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_token(token_id: int) -> TokenView:
    """Show an application token to its owner, administrators and auditors."""
    return show_token(subject(), token_id, database=services().database, clock=services().clock)


@blueprint.route(_TOKEN, methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_token(token_id: int) -> None:
    """Revoke an application token, as its owner or an administrator; it ends at once."""
    _revoke(token_id)


@blueprint.route(_USERS_TOKENS)
@blueprint.arguments(page_query(TOKENS), location="query")
@blueprint.response(HTTPStatus.OK, TokenOutput(many=True))
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def list_tokens_of_user(asked: ListRequest, user_id: int) -> Response:
    """List a person's application tokens; for themselves, administrators and auditors."""
    return _list(user_id, asked)


@blueprint.route(_USERS_TOKENS, methods=["POST"])
@blueprint.creates(".get_token", token_id="id")  # noqa: S106 - a name
@blueprint.arguments(NewTokenInput)
@blueprint.response(HTTPStatus.CREATED, MadeTokenOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def post_token_of_user(new: NewToken, user_id: int) -> MadeToken:
    """Make an application token: for oneself, or as an administrator for a bot."""
    return _make(user_id, new)


@blueprint.route(f"/users{_TOKEN}")
@blueprint.versioned
@blueprint.response(HTTPStatus.OK, TokenOutput)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def get_token_of_user(token_id: int) -> TokenView:
    """Show an application token, under the path of the Portus API."""
    return show_token(subject(), token_id, database=services().database, clock=services().clock)


@blueprint.route(f"/users{_TOKEN}", methods=["DELETE"])
@blueprint.versioned
@blueprint.response(HTTPStatus.NO_CONTENT)
@refuses(blueprint, *_REFUSED, HTTPStatus.NOT_FOUND)
def delete_token_of_user(token_id: int) -> None:
    """Revoke an application token, under the path of the Portus API."""
    _revoke(token_id)


def _list(user_id: int, asked: ListRequest) -> Response:
    page = show_tokens(subject(), user_id, asked, database=services().database, clock=services().clock)
    return page_response(TokenOutput(), page)


def _make(user_id: int, new: NewToken) -> MadeToken:
    auth = services()
    rules = auth.settings.application_tokens
    return create_token(actor(), user_id, new, rules=rules, database=auth.database, clock=auth.clock)


def _revoke(token_id: int) -> None:
    auth, expected = services(), if_match(TokenOutput())
    revoke_token(actor(), token_id, expected=expected, database=auth.database, clock=auth.clock)
