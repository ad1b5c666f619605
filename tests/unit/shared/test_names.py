import pytest

from shared.oci.names import (
    InvalidName,
    RepositoryName,
    SplitName,
    is_name_component,
    parse_digest,
    parse_repository_name,
    parse_tag,
    split_namespace,
)

HEX = "a" * 64


@pytest.mark.parametrize(
    "name", ["app", "team/app", "a/b/c/d", "a.b", "a_b", "a__b", "a-b", "a---b", "0", "team-a/web20", "a" * 255]
)
def test_names_of_the_distribution_grammar_are_accepted(name: str) -> None:
    assert parse_repository_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a-", "-a", "a/.", "a b", "a\n", "a\\b", "é", "a:b", "a" * 256],
)
def test_names_outside_the_grammar_are_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        parse_repository_name(name)


@pytest.mark.parametrize("tag", ["latest", "1.0", "1.0-A", "_x", "A" * 128])
def test_tags_of_the_grammar_are_accepted(tag: str) -> None:
    assert parse_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", ".a", "-a", "a/b", "a b", "a" * 129, "a\n", "sha256:" + HEX])
def test_tags_outside_the_grammar_are_refused(tag: str) -> None:
    with pytest.raises(InvalidName):
        parse_tag(tag)


@pytest.mark.parametrize("digest", [f"sha256:{HEX}", "sha512:" + "0" * 128])
def test_digests_of_registered_algorithms_are_accepted(digest: str) -> None:
    assert parse_digest(digest) == digest


@pytest.mark.parametrize("digest", ["", HEX, f"sha256:{HEX}a", "sha256:" + "A" * 64, f"md5:{HEX}", f"sha256:{HEX}\n"])
def test_other_digests_are_refused(digest: str) -> None:
    with pytest.raises(InvalidName):
        parse_digest(digest)


def test_a_refusal_does_not_repeat_a_long_value() -> None:
    with pytest.raises(InvalidName) as refusal:
        parse_repository_name("X" * 10_000)

    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("app", SplitName(None, "app")),
        ("team/app", SplitName("team", "app")),
        ("team/group/app", SplitName("team", "group/app")),
    ],
)
def test_the_first_component_is_the_namespace(name: str, split: SplitName) -> None:
    assert split_namespace(RepositoryName(name)) == split


@pytest.mark.parametrize(("value", "answer"), [("john-doe", True), ("a__b", True), ("a/b", False), ("a\\b", False)])
def test_a_namespace_is_one_component(value: str, answer: bool) -> None:
    assert is_name_component(value) is answer
