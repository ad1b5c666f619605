"""Lines that people paste into a terminal."""

import shlex

import pytest

from services.web.viewmodels.artifacts import Tool
from services.web.viewmodels.commands import RUNTIMES, known_runtime, pull_command, push_commands

HOST = "registry.test:5000"


@pytest.mark.parametrize(
    ("runtime", "line"),
    [
        ("docker", "docker pull registry.test:5000/team/app:1.0"),
        ("podman", "podman pull registry.test:5000/team/app:1.0"),
        ("nerdctl", "nerdctl pull registry.test:5000/team/app:1.0"),
        ("crictl", "crictl pull registry.test:5000/team/app:1.0"),
        ("skopeo", "skopeo copy docker://registry.test:5000/team/app:1.0 oci:app:1.0"),
    ],
)
def test_pull_command_of_a_runtime(runtime: str, line: str) -> None:
    command = pull_command(HOST, "team/app", "1.0", runtime=runtime)

    assert (command.line, command.tool) == (line, runtime)


@pytest.mark.parametrize(
    ("tool", "tag", "line"),
    [
        (Tool.HELM, "1.0.0", "helm pull oci://registry.test:5000/charts/app --version 1.0.0"),
        (Tool.HELM, "1.0.0_build.5", "helm pull oci://registry.test:5000/charts/app --version 1.0.0+build.5"),
        (Tool.ORAS, "sbom", "oras pull registry.test:5000/charts/app:sbom"),
    ],
)
def test_other_artifacts_are_pulled_with_the_tool_that_knows_them(tool: Tool, tag: str, line: str) -> None:
    command = pull_command(HOST, "charts/app", tag, runtime="docker", tool=tool)

    assert (command.line, command.tool) == (line, tool)


def test_first_push_is_three_lines() -> None:
    assert push_commands(HOST, username="jane", repository="jane/my-app", runtime="podman") == (
        "podman login registry.test:5000 --username jane",
        "podman tag my-app:latest registry.test:5000/jane/my-app:latest",
        "podman push registry.test:5000/jane/my-app:latest",
    )


def test_push_with_a_runtime_that_cannot_push_falls_back_to_docker() -> None:
    assert push_commands(HOST, username=None, repository="app", runtime="crictl")[0] == f"docker login {HOST}"


def test_name_with_the_shells_own_characters_stays_one_word() -> None:
    line = push_commands(HOST, username="$(reboot);'", repository="app", runtime="docker")[0]

    assert shlex.split(line) == ["docker", "login", HOST, "--username", "$(reboot);'"]


@pytest.mark.parametrize("value", [None, "", "rm -rf", "Docker"])
def test_unknown_runtime_is_docker(value: str | None) -> None:
    assert known_runtime(value) == "docker"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_known_runtime_is_kept(runtime: str) -> None:
    assert known_runtime(runtime) == runtime
