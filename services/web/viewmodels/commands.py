"""Lines to paste into a terminal, for the runtime that somebody prefers."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.web.viewmodels.artifacts import Tool

DEFAULT_RUNTIME = "docker"

_IMAGE_PULLS: Mapping[str, Callable[[str], str]] = {
    "docker": lambda image: f"docker pull {image}",
    "podman": lambda image: f"podman pull {image}",
    "nerdctl": lambda image: f"nerdctl pull {image}",
    "crictl": lambda image: f"crictl pull {image}",
    "skopeo": lambda image: f"skopeo copy docker://{image} oci:{image.rpartition('/')[2]}",
}
"""By runtime: a whole image name, host and tag included, to the line that fetches it."""

RUNTIMES = tuple(_IMAGE_PULLS)

_BUILDERS = frozenset({"docker", "podman", "nerdctl"})
"""Those of the runtimes that can log in, tag and push."""


@dataclass(frozen=True, slots=True)
class PullCommand:
    """One line; ``tool`` is what it is for when the chosen runtime cannot do it."""

    line: str
    tool: str


def known_runtime(value: str | None) -> str:
    """Return a runtime's name as it is, or the default for anything else."""
    return value if value and value in _IMAGE_PULLS else DEFAULT_RUNTIME


def pull_command(host: str, repository: str, tag: str, *, runtime: str, tool: Tool = Tool.IMAGE) -> PullCommand:
    """Return the line that pulls a tag.

    Args:
        host: the registry as people type it.
        repository: full name.
        tag: its tag.
        runtime: one of ``RUNTIMES``.
        tool: which clients understand what the tag points at.
    """
    if tool is Tool.HELM:
        # Helm writes "_" in the tag for the "+" of a version, because a tag cannot hold one.
        return PullCommand(f"helm pull oci://{host}/{repository} --version {tag.replace('_', '+')}", "helm")
    if tool is Tool.ORAS:
        return PullCommand(f"oras pull {host}/{repository}:{tag}", "oras")
    return PullCommand(_IMAGE_PULLS[runtime](f"{host}/{repository}:{tag}"), runtime)


def login_command(host: str, username: str) -> str:
    """Return the line that logs somebody in, with a secret typed or piped in."""
    return f"docker login {host} --username {shlex.quote(username)} --password-stdin"


def push_commands(host: str, *, username: str | None, repository: str, runtime: str) -> tuple[str, ...]:
    """Return the three lines that bring a first image: log in, tag, push.

    Args:
        host: the registry as people type it.
        username: who will log in; left open when nobody is signed in.
        repository: full name to push to.
        runtime: one of ``RUNTIMES``; one that cannot push gives way to the default.
    """
    program = runtime if runtime in _BUILDERS else DEFAULT_RUNTIME
    account = f" --username {shlex.quote(username)}" if username else ""
    source = repository.rpartition("/")[2]
    return (
        f"{program} login {host}{account}",
        f"{program} tag {source}:latest {host}/{repository}:latest",
        f"{program} push {host}/{repository}:latest",
    )
