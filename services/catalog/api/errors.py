"""The catalogue's one error table."""

from http import HTTPStatus

from services.catalog.usecases.browse import RepositoryNotFound
from services.catalog.usecases.deletion_errors import (
    DeletionIncomplete,
    DeletionRefused,
    DeletionUnfinished,
    NotAllowed,
    TagMoved,
)
from services.catalog.usecases.registry import RegistryError, RegistryUnavailable
from services.catalog.usecases.request_deletion import ManifestNotFound, TagNotFound
from shared.visibility.client import VISIBILITY_ERRORS

ERRORS: dict[type[Exception], HTTPStatus] = {
    RepositoryNotFound: HTTPStatus.NOT_FOUND,
    TagNotFound: HTTPStatus.NOT_FOUND,
    ManifestNotFound: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TagMoved: HTTPStatus.CONFLICT,
    DeletionRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    DeletionIncomplete: HTTPStatus.UNPROCESSABLE_ENTITY,
    DeletionUnfinished: HTTPStatus.SERVICE_UNAVAILABLE,
    RegistryUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    RegistryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    **VISIBILITY_ERRORS,
}
