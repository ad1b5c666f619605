"""Clients of the token endpoint, told apart by what they say that they are: how each shows an answer.

Measured with the clients themselves: docs/refusals.md.
"""

from flask import request

_STATUS_LINE_READERS = ("containerd/", "buildkit/")
_READERS_OF_401_ONLY = ("containers/", "skopeo/", "Buildah/", "libpod/", "podman/")
_DOCKER_COMMAND = "Docker-Client/"


def reads_status_line() -> bool:
    """Tell whether the present client shows no more than the status line, and asks again after 401."""
    return _user_agent().startswith(_STATUS_LINE_READERS)


def reads_401_only() -> bool:
    """Tell whether the present client shows the body of 401 and of no other status."""
    return _user_agent().startswith(_READERS_OF_401_ONLY)


def takes_less() -> bool:
    """Tell whether the present client asks to push where it may only mean to pull.

    ``docker manifest inspect`` of docker 20.10 does. The command asks by itself, while ``docker push`` is
    the engine's doing, which says so.
    """
    return _user_agent().startswith(_DOCKER_COMMAND)


def _user_agent() -> str:
    return request.headers.get("User-Agent", "")
