"""What runs here: ``/api/version`` for whoever has signed in, ``/api/v1/settings`` for administrators and auditors."""

from http import HTTPStatus
from typing import Any

from marshmallow import Schema, fields

from services.auth.api.documents import refuses
from services.auth.api.identity import require_person, subject
from services.auth.api.services import services
from services.auth.usecases.settings import show_settings
from shared.api.blueprints import ApiBlueprint
from shared.environment import EffectiveSetting, Source
from shared.version import VERSION

blueprint = ApiBlueprint("about", __name__, url_prefix="/api", description="What runs here")
blueprint.before_request(require_person)

API_VERSIONS = ("v1",)


class VersionOutput(Schema):
    """What runs here; ``git`` is null where nobody has said what it was built from."""

    api_versions = fields.List(fields.String(), data_key="api-versions")
    git = fields.Dict(keys=fields.String(), values=fields.String(), allow_none=True)
    version = fields.String()


class SettingOutput(Schema):
    """A variable and the value that holds."""

    name = fields.String()
    value = fields.Raw(allow_none=True, metadata={"description": "*** for a secret."})
    source = fields.Enum(Source, by_value=True)
    old_name = fields.String(allow_none=True, metadata={"description": "Name in SUSE Portus, if given under that."})


@blueprint.route("/version")
@blueprint.response(HTTPStatus.OK, VersionOutput)
@refuses(blueprint, HTTPStatus.UNAUTHORIZED)
def get_version() -> dict[str, Any]:
    """Tell which Portus this is."""
    return {"api_versions": API_VERSIONS, "git": services().settings.git, "version": VERSION}


@blueprint.route("/v1/settings")
@blueprint.response(HTTPStatus.OK, SettingOutput(many=True))
@refuses(blueprint, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
def list_settings() -> list[EffectiveSetting]:
    """List the settings that hold, and where each comes from; for administrators and auditors."""
    return list(show_settings(subject(), services().settings.effective))
