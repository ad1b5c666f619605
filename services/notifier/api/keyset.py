"""Lists that are read from a point on: what they say of the next part."""

from urllib.parse import urlencode

from flask import Response, after_this_request, request


def describe_next(next_after: int, *, more: bool, **headers: int) -> None:
    """Let the present answer say where to go on, and name the address when there is more already."""

    @after_this_request
    def describe(response: Response) -> Response:
        response.headers["X-Next-After"] = str(next_after)
        for name, value in headers.items():
            response.headers[f"X-{name.replace('_', '-').title()}"] = str(value)
        if more:
            response.headers["Link"] = f'<{_link(next_after)}>; rel="next"'
        return response


def _link(after: int) -> str:
    others = [(name, value) for name, value in request.args.items(multi=True) if name != "after"]
    return f"{request.path}?{urlencode([*others, ('after', after)])}"
