"""Reading image configurations, as they should be and as they should not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog.domain.configs import MAX_ENTRIES, MAX_ENTRY_LENGTH, BuildStep, ImageConfig, read_config

FULL = {
    "created": "2026-11-23T12:00:00Z",
    "author": "jane",
    "os": "linux",
    "os.version": "10.0.1",
    "architecture": "arm64",
    "variant": "v8",
    "config": {
        "User": "1000:1000",
        "WorkingDir": "/srv",
        "StopSignal": "SIGINT",
        "Entrypoint": ["/bin/app"],
        "Cmd": ["--serve", "it"],
        "Env": ["PATH=/bin", "EMPTY="],
        "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
        "Volumes": {"/data": {}},
        "Labels": {"org.opencontainers.image.version": "1.0", "note": "two\nlines"},
    },
    "history": [
        {"created": "2026-11-23T11:00:00Z", "created_by": "ADD rootfs"},
        {"created_by": "ENV PATH=/bin", "empty_layer": True, "comment": "buildkit"},
    ],
}


def read(body: Any) -> ImageConfig:
    return read_config(json.dumps(body).encode())


def test_everything_that_is_said_is_read() -> None:
    assert read(FULL) == ImageConfig(
        created="2026-11-23T12:00:00Z",
        author="jane",
        os="linux",
        os_version="10.0.1",
        architecture="arm64",
        variant="v8",
        user="1000:1000",
        working_dir="/srv",
        stop_signal="SIGINT",
        entrypoint=("/bin/app",),
        cmd=("--serve", "it"),
        env=("PATH=/bin", "EMPTY="),
        exposed_ports=("53/udp", "8080/tcp"),
        volumes=("/data",),
        labels={"org.opencontainers.image.version": "1.0", "note": "two\nlines"},
        history=(
            BuildStep("2026-11-23T11:00:00Z", "ADD rootfs"),
            BuildStep(None, "ENV PATH=/bin", "buildkit", has_layer=False),
        ),
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"config": None, "history": None},
        {"config": [], "history": {}},
        {"config": {"Env": {"A": "B"}, "Labels": ["x"], "ExposedPorts": "80", "Cmd": 1}},
        {"created": 5, "author": ["jane"], "os": ""},
    ],
)
def test_what_is_of_another_form_is_not_said(body: Any) -> None:
    assert read(body) == ImageConfig()


def test_a_step_that_is_none_says_nothing() -> None:
    assert read({"history": ["x", {"empty_layer": "yes"}]}).history == (BuildStep(), BuildStep())


def test_a_command_of_an_old_builder_is_one_word() -> None:
    assert read({"config": {"Entrypoint": "/bin/sh -c app"}}).entrypoint == ("/bin/sh -c app",)


def test_lists_and_texts_are_cut() -> None:
    config = read({"config": {"Env": ["x" * 5000] * 2000, "Labels": {str(n): "x" * 5000 for n in range(2000)}}})

    assert (len(config.env), len(config.env[0])) == (MAX_ENTRIES, MAX_ENTRY_LENGTH)
    assert (len(config.labels), max(map(len, config.labels.values()))) == (MAX_ENTRIES, MAX_ENTRY_LENGTH)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*FULL, *FULL["config"]]) | st.text(), inner),
)


@given(JSON | st.dictionaries(st.sampled_from([*FULL, *FULL["config"]]), JSON))
def test_nothing_breaks_the_reading(body: Any) -> None:
    assert isinstance(read(body), ImageConfig)


@given(st.binary())
def test_no_bytes_break_the_reading(body: bytes) -> None:
    assert isinstance(read_config(body), ImageConfig)
