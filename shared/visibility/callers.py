"""What the caller of the present request may see and do."""

from collections.abc import Callable, Collection, Mapping, Sequence

from flask import Blueprint, Response, g, request

from shared.api.peers import client_address
from shared.config import Secret
from shared.oci.names import RepositoryName
from shared.visibility.answers import Permission, RepositoryPlace, Rights, Visibility
from shared.visibility.client import VisibilityClient

_VISIBILITY = "portus_visibility"

FindCallersVisibility = Callable[[], Visibility]
"""Answers for the request that is being served."""


FindVisibilityIn = Callable[[int], Visibility]
"""Answers for the request that is being served, with the name of the namespace that has an id."""


FindCallersPermissions = Callable[[RepositoryName, Collection[str]], Mapping[str, Permission]]
"""Answers for the request that is being served: repository and actions in, permissions by action out."""


FindCallersPlaces = Callable[[Sequence[RepositoryName], Collection[str]], Mapping[RepositoryName, RepositoryPlace]]
"""Answers for the request that is being served: repositories and actions in, where they lie and what is allowed out."""


FindCallersRights = Callable[[int | None, Collection[str]], Rights]
"""Answers for the request that is being served: namespace (``None``: the installation) and operations in."""


def callers_visibility(auth: VisibilityClient, *, peer_secret: Secret) -> FindCallersVisibility:
    """Return the question that every view asks first; asked once for each request.

    Args:
        peer_secret: lets a peer say whose request it passes on.
    """

    def find() -> Visibility:
        if _VISIBILITY not in g:
            header = request.headers.get("Authorization")
            setattr(g, _VISIBILITY, auth.find_visibility(header, address=client_address(request, peer_secret)))
        found: Visibility = getattr(g, _VISIBILITY)
        return found

    return find


def callers_name(visibility: FindCallersVisibility) -> Callable[[], str | None]:
    """Return what names the caller, as no other is named; ``None``: nobody has signed in."""

    def name() -> str | None:
        caller = visibility().caller
        # An id can be given again after a deletion, and so can a name.
        return f"{caller.kind}/{caller.id}/{caller.username}" if caller else None

    return name


def callers_visibility_in(auth: VisibilityClient, *, peer_secret: Secret) -> FindVisibilityIn:
    """Return the question that a view asks first when its path names a namespace by id: one call for both.

    Args:
        peer_secret: lets a peer say whose request it passes on.
    """

    def find(namespace_id: int) -> Visibility:
        header, address = request.headers.get("Authorization"), client_address(request, peer_secret)
        return auth.find_visibility(header, address=address, namespace_id=namespace_id)

    return find


def callers_permissions(auth: VisibilityClient, *, peer_secret: Secret) -> FindCallersPermissions:
    """Return the question that is asked before anything is changed.

    Args:
        peer_secret: lets a peer say whose request it passes on.
    """

    def find(repository: RepositoryName, actions: Collection[str]) -> Mapping[str, Permission]:
        header = request.headers.get("Authorization")
        return auth.find_permissions(header, repository, actions, address=client_address(request, peer_secret))

    return find


def callers_places(auth: VisibilityClient, *, peer_secret: Secret) -> FindCallersPlaces:
    """Return the question that is asked about the repositories that an answer shows.

    Args:
        peer_secret: lets a peer say whose request it passes on.
    """

    def find(
        repositories: Sequence[RepositoryName], actions: Collection[str]
    ) -> Mapping[RepositoryName, RepositoryPlace]:
        header = request.headers.get("Authorization")
        return auth.find_places(header, repositories, actions, address=client_address(request, peer_secret))

    return find


def callers_rights(auth: VisibilityClient, *, peer_secret: Secret) -> FindCallersRights:
    """Return the question that is asked before anything is managed in a namespace.

    Args:
        peer_secret: lets a peer say whose request it passes on.
    """

    def find(namespace_id: int | None, operations: Collection[str]) -> Rights:
        header = request.headers.get("Authorization")
        return auth.find_rights(header, namespace_id, operations, address=client_address(request, peer_secret))

    return find


def keep_private(blueprint: Blueprint) -> None:
    """Keep a blueprint's answers out of caches: what one caller may see is for nobody else."""

    @blueprint.after_request
    def mark(response: Response) -> Response:
        response.headers["Cache-Control"] = "private, no-store"
        return response
