import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oci.scopes import (
    MAX_SCOPE_LENGTH,
    MAX_SCOPES,
    MAX_SCOPES_LENGTH,
    InvalidScope,
    Scope,
    parse_scope,
    parse_scopes,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("repository:team/app:pull", Scope("repository", "team/app", ("pull",)), id="one action"),
        pytest.param("repository:app:push,pull", Scope("repository", "app", ("pull", "push")), id="actions are sorted"),
        pytest.param("repository:a/b:pull,pull", Scope("repository", "a/b", ("pull",)), id="no action twice"),
        pytest.param("repository:a/b/c:*", Scope("repository", "a/b/c", ("*",)), id="everything"),
        pytest.param("registry:catalog:*", Scope("registry", "catalog", ("*",)), id="the catalogue"),
        pytest.param(
            "repository(plugin):a/b:pull", Scope("repository", "a/b", ("pull",), "plugin"), id="a resource class"
        ),
        pytest.param(
            "repository:localhost:5000/a/b:pull",
            Scope("repository", "localhost:5000/a/b", ("pull",)),
            id="a host with a port",
        ),
        pytest.param(
            "repository:Hub.Example.com/a:pull", Scope("repository", "Hub.Example.com/a", ("pull",)), id="a host"
        ),
        pytest.param("repository:a/b:", Scope("repository", "a/b", ()), id="an empty action asks for nothing"),
        pytest.param("repository:a/b:fly", Scope("repository", "a/b", ("fly",)), id="an action yet to come"),
        pytest.param("repository:a__b/c---d:pull", Scope("repository", "a__b/c---d", ("pull",)), id="every separator"),
    ],
)
def test_a_scope_is_read(text: str, expected: Scope) -> None:
    assert parse_scope(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("repository", id="one part"),
        pytest.param("repository:team/app", id="two parts"),
        pytest.param(":team/app:pull", id="no type"),
        pytest.param("Repository:team/app:pull", id="an upper-case type"),
        pytest.param("repository():team/app:pull", id="an empty class"),
        pytest.param("repository::pull", id="no name"),
        pytest.param("repository:Team/App:pull", id="an upper-case path after what could be a host"),
        pytest.param("repository:team//app:pull", id="an empty component"),
        pytest.param("repository:team\\app:pull", id="a backslash"),
        pytest.param("repository:team/../app:pull", id="a way upwards"),
        pytest.param("repository:team/*:pull", id="a wildcard name"),
        pytest.param("repository:team/app:PULL", id="an upper-case action"),
        pytest.param("repository:team/app:pull,**", id="two stars"),
        pytest.param("repository:team/app:pull\n", id="a line end"),
        pytest.param("repository:" + "a" * 256 + ":pull", id="a name of 256 characters"),
        pytest.param("repository:a:" + "x" * MAX_SCOPE_LENGTH, id="too long"),
    ],
)
def test_a_malformed_scope_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope):
        parse_scope(text)


def test_a_parameter_may_hold_several_scopes() -> None:
    scopes = parse_scopes(["repository:b/b:pull repository:a/a:pull", "registry:catalog:*"])

    assert [str(scope) for scope in scopes] == ["registry:catalog:*", "repository:a/a:pull", "repository:b/b:pull"]


def test_mentions_of_one_resource_are_merged() -> None:
    scopes = parse_scopes(["repository:a/b:push", "repository:a/b:pull"])

    assert scopes == (Scope("repository", "a/b", ("pull", "push")),)


def test_a_class_makes_another_resource() -> None:
    assert len(parse_scopes(["repository(plugin):a/b:pull repository:a/b:pull"])) == 2


def test_an_empty_parameter_holds_no_scope() -> None:
    assert parse_scopes(["", "  "]) == ()


def test_one_scope_too_many_is_refused() -> None:
    values = [f"repository:a/b{number}:pull" for number in range(MAX_SCOPES)]

    assert len(parse_scopes(values)) == MAX_SCOPES
    with pytest.raises(InvalidScope, match="at most 100"):
        parse_scopes([*values, "repository:a/c:pull"])


def test_an_overlong_list_is_refused() -> None:
    with pytest.raises(InvalidScope, match="together"):
        parse_scopes([" " * (MAX_SCOPES_LENGTH + 1)])


def test_the_message_does_not_repeat_a_long_scope_in_full() -> None:
    with pytest.raises(InvalidScope) as caught:
        parse_scope("repository:" + "A" * 900 + ":pull")

    assert len(str(caught.value)) < 200


_WORD = st.text("abcz09", min_size=1, max_size=5)
_SCOPES = st.builds(
    lambda kind, path, actions: f"{kind}:{'/'.join(path)}:{','.join(actions)}",
    st.sampled_from(["repository", "registry", "repository(plugin)"]),
    st.lists(_WORD, min_size=1, max_size=3),
    st.lists(st.sampled_from(["pull", "push", "delete", "*", "other"]), max_size=4),
)


@given(st.lists(_SCOPES, max_size=8))
def test_reading_what_was_written_changes_nothing(texts: list[str]) -> None:
    scopes = parse_scopes(texts)

    assert parse_scopes([" ".join(map(str, scopes))]) == scopes


@given(st.lists(_SCOPES, max_size=8), st.randoms())
def test_order_does_not_matter(texts: list[str], chance: object) -> None:
    shuffled = list(texts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert parse_scopes(texts) == parse_scopes(shuffled)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        scopes = parse_scopes([text])
    except InvalidScope:
        return
    assert all(parse_scope(str(scope)) == scope for scope in scopes)
