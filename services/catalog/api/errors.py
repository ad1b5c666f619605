"""The catalogue's one error table."""

from http import HTTPStatus

from services.catalog.usecases.deletion_errors import (
    DeletionIncomplete,
    DeletionRefused,
    DeletionUnfinished,
    MoreLeadsToIt,
    ReferrersLeft,
    TagMoved,
)
from services.catalog.usecases.immutability import NothingToRetry, TooManyRules
from services.catalog.usecases.not_found import ManifestUnknown, NotFound
from services.catalog.usecases.registry import RegistryError, RegistryUnavailable
from services.catalog.usecases.restore_tag import PartsMissing, TagMustNotMove
from services.catalog.usecases.retention import RuleInvalid
from services.catalog.usecases.rights import NotAllowed
from shared.visibility.client import VISIBILITY_ERRORS
from shared.visibility.permissions import PERMISSION_ERRORS

ERRORS: dict[type[Exception], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TagMoved: HTTPStatus.CONFLICT,
    MoreLeadsToIt: HTTPStatus.CONFLICT,
    ManifestUnknown: HTTPStatus.CONFLICT,
    NothingToRetry: HTTPStatus.CONFLICT,
    TooManyRules: HTTPStatus.UNPROCESSABLE_ENTITY,
    RuleInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    PartsMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    TagMustNotMove: HTTPStatus.UNPROCESSABLE_ENTITY,
    DeletionRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    ReferrersLeft: HTTPStatus.UNPROCESSABLE_ENTITY,
    DeletionIncomplete: HTTPStatus.UNPROCESSABLE_ENTITY,
    DeletionUnfinished: HTTPStatus.SERVICE_UNAVAILABLE,
    RegistryUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    RegistryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    **VISIBILITY_ERRORS,
    **PERMISSION_ERRORS,
}
