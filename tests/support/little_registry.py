"""Something that answers to ``GET /v2/`` like a registry, or not quite like one."""

from collections.abc import Mapping

from flask import Flask, Response

VERSION_HEADER = {"Docker-Distribution-Api-Version": "registry/2.0"}


def little_registry(status: int = 401, headers: Mapping[str, str] = VERSION_HEADER) -> tuple[Flask, list[str]]:
    """Return an application, and the list of the paths that it has been asked for."""
    app, asked = Flask("registry"), list[str]()

    @app.get("/v2/")
    def base() -> Response:
        asked.append("/v2/")
        return Response(status=status, headers=headers)

    return app, asked
