"""Our client against registries that answer what a registry should not."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from structlog.testing import capture_logs
from werkzeug import Request, Response

from services.catalog.clients.registry import RegistryClient
from services.catalog.domain.manifests import MAX_MANIFEST_BYTES
from services.catalog.usecases.registry import (
    InvalidAnswer,
    NotInRegistry,
    RegistryRefused,
    RegistryUnavailable,
    TooLarge,
)
from shared.oci.media_types import OCI_MANIFEST
from shared.oci.names import Digest, RepositoryName, Tag
from tests.support.catalog import digest_of
from tests.support.catalog_clients import new_client
from tests.support.images import digest_of_bytes
from tests.support.serving import serving

APP = RepositoryName("team/app")
BODY = b'{"schemaVersion": 2}'
DIGEST = Digest(digest_of_bytes(BODY))

Answers = Callable[[Request], Response]
Odd = Callable[[Answers], RegistryClient]


@pytest.fixture
def odd() -> Iterator[Odd]:
    """A function that serves a registry's answers and returns a client of it."""
    with ExitStack() as served:

        def start(answer: Answers) -> RegistryClient:
            url = served.enter_context(serving(Request.application(answer)))
            return new_client(url)

        yield start


def listed(member: str, names: object, **headers: str) -> Response:
    return Response(json.dumps({"name": "x", member: names}), headers=headers)


def manifest(body: bytes = BODY, *, digest: str = DIGEST) -> Response:
    return Response(body, content_type=OCI_MANIFEST, headers={"Docker-Content-Digest": digest})


@pytest.mark.parametrize("names", [None, []])
def test_a_repository_without_tags_has_none(odd: Odd, names: object) -> None:
    assert odd(lambda _: listed("tags", names)).list_tags(APP).tags == []


def test_tags_of_the_wrong_kind_are_passed_over(odd: Odd) -> None:
    client = odd(lambda _: listed("tags", ["2.0", 7, None, "../x", "1.0", "2.0"]))

    assert client.list_tags(APP).tags == ["1.0", "2.0"]


def test_names_outside_the_grammar_are_passed_over_and_told_of(odd: Odd) -> None:
    client = odd(lambda _: listed("repositories", ["UPPER", "team/app"]))

    with capture_logs() as logs:
        assert list(client.list_repositories()) == [APP]
    assert [entry["event"] for entry in logs] == ["registry.name_skipped"]


def test_case_74_pages_are_followed_by_their_query_whatever_address_they_name(odd: Odd) -> None:
    def answer(request: Request) -> Response:
        if "last" in request.args:
            return listed("tags", ["2.0"])
        link = f'<http://registry.internal:1/v2/{APP}/tags/list?last=1.0&n=1>; rel="next"'
        return listed("tags", ["1.0"], Link=link)

    assert odd(answer).list_tags(APP).tags == ["1.0", "2.0"]


TAGS = [f"{number}.0" for number in range(1, 6)]
NOWHERE = [
    '<>; rel="next"',
    '<http://[::>; rel="next"',
    f"</v2/{APP}/tags/list>; rel=next",
    f"</v2/{APP}/tags/list?n=2; rel=next",
]
"""Links that announce a next page and cannot be followed."""


def paged(link: Callable[[str], str], *, size: int = 2) -> Answers:
    """A registry that pages by ``last``.

    Args:
        link: makes the link to the page behind a tag.
    """

    def answer(request: Request) -> Response:
        rest = [tag for tag in TAGS if tag > request.args.get("last", "")]
        headers = {"Link": link(rest[size - 1])} if len(rest) > size else {}
        return listed("tags", rest[:size], **headers)

    return answer


@pytest.mark.parametrize(
    "link",
    [
        '</x?n=2&last={}>; rel="next"',
        "</x?n=2&last={}>; rel=next",
        '</x?n=2&last={}>; REL="last Next"',
        '</x?n=2&last={}>; title="a=b"; rel="next"',
        '</x>; rel="first", </x?n=2&last={}>; rel="next"',
    ],
)
def test_a_next_page_is_followed_however_its_link_is_written(odd: Odd, link: str) -> None:
    assert odd(paged(link.format)).list_tags(APP).tags == TAGS


@pytest.mark.parametrize("link", [*NOWHERE, f'</v2/{APP}/tags/list?n=1000>; rel="next"'])
def test_a_next_page_to_which_nothing_leads_is_asked_for_by_the_last_name(odd: Odd, link: str) -> None:
    assert odd(paged(lambda _last: link)).list_tags(APP).tags == TAGS


def test_so_is_one_of_a_registry_that_refuses_the_page_size(odd: Odd) -> None:
    answer = paged(lambda _last: '<>; rel="next"')

    client = odd(lambda request: Response("no", 400) if "n" in request.args else answer(request))

    assert client.list_tags(APP).tags == TAGS


@pytest.mark.parametrize(
    "link", [*NOWHERE, f'</v2/{APP}/tags/list?last=1.0>; rel="next"', f'</v2/{APP}/tags/list?n=1000>; rel="next"']
)
@pytest.mark.parametrize("names", [["1.0"], []])
def test_a_list_that_has_more_than_it_gives_is_none(odd: Odd, link: str, names: list[str]) -> None:
    """Promise: what is missing in a list that was cut off is never taken for gone."""
    with pytest.raises(InvalidAnswer):
        odd(lambda _: listed("tags", names, Link=link)).list_tags(APP)


def test_what_was_named_before_a_catalogue_breaks_off_is_yielded(odd: Odd) -> None:
    names = odd(lambda _: listed("repositories", [APP], Link='<>; rel="next"')).list_repositories()

    assert next(names) == APP
    with pytest.raises(InvalidAnswer):
        next(names)


def test_an_empty_page_behind_a_full_one_is_the_end(odd: Odd) -> None:
    """2.8 announces a next page of its catalogue when it cannot know that there is none."""

    def answer(request: Request) -> Response:
        if "last" in request.args:
            return listed("repositories", [])
        return listed("repositories", [APP], Link=f'</v2/_catalog?last={APP}&n=1>; rel="next"')

    assert list(odd(answer).list_repositories()) == [APP]


@pytest.mark.parametrize("link", ["nonsense", '</v2/x>; rel="prev"', '</v2/x>; rel="next-archive"', "</v2/x>", "<"])
def test_a_link_that_announces_no_next_page_is_passed_over(odd: Odd, link: str) -> None:
    assert odd(lambda _: listed("tags", ["1.0"], Link=link)).list_tags(APP).tags == ["1.0"]


def test_a_page_size_that_is_refused_is_left_to_the_registry(odd: Odd) -> None:
    def answer(request: Request) -> Response:
        return Response("PAGINATION_NUMBER_INVALID", 400) if "n" in request.args else listed("tags", ["1.0"])

    assert odd(answer).list_tags(APP).tags == ["1.0"]


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"tags": "1.0"}', b"\xff", b"[" * 100_000])
def test_a_list_that_is_none_is_an_invalid_answer(odd: Odd, body: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        odd(lambda _: Response(body)).list_tags(APP)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotInRegistry),
        (403, InvalidAnswer),
        (405, InvalidAnswer),
        (429, RegistryUnavailable),
        (500, RegistryUnavailable),
        (502, RegistryUnavailable),
        (503, RegistryUnavailable),
        (401, RegistryRefused),
    ],
)
def test_what_an_error_means(odd: Odd, status: int, error: type[Exception]) -> None:
    client = odd(lambda _: Response("no", status))

    with pytest.raises(error):
        client.get_manifest(APP, "1.0")
    with pytest.raises(error):
        client.find_digest(APP, Tag("1.0"))
    with pytest.raises(error):
        list(client.list_repositories())


def test_an_error_of_any_length_is_an_error(odd: Odd) -> None:
    with pytest.raises(NotInRegistry):
        odd(lambda _: Response(b"x" * 1000, 404)).get_blob(APP, digest_of("x"), max_bytes=10)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        pytest.param(DIGEST, manifest(BODY + b" "), id="bytes of another digest"),
        pytest.param(DIGEST, manifest(digest=digest_of("other")), id="another digest named"),
        pytest.param("1.0", manifest(BODY + b" "), id="bytes of another digest than named"),
        pytest.param("1.0", Response(BODY, content_type=OCI_MANIFEST), id="no digest named"),
        pytest.param("1.0", manifest(digest="md5:0"), id="no digest at all"),
    ],
)
def test_a_manifest_that_cannot_be_right_is_an_invalid_answer(odd: Odd, reference: str, answer: Response) -> None:
    with pytest.raises(InvalidAnswer):
        odd(lambda _: answer).get_manifest(APP, reference)


def test_a_manifest_that_is_too_large_is_not_read(odd: Odd) -> None:
    with pytest.raises(TooLarge) as caught:
        odd(lambda _: manifest(b" " * (MAX_MANIFEST_BYTES + 1))).get_manifest(APP, "1.0")

    assert (caught.value.digest, caught.value.media_type) == (DIGEST, OCI_MANIFEST)


def test_an_answer_that_breaks_off_is_unavailable(odd: Odd) -> None:
    def answer(_: Request) -> Response:
        return Response(iter([BODY]), headers={"Content-Length": "1000", "Docker-Content-Digest": DIGEST})

    with pytest.raises(RegistryUnavailable):
        odd(answer).get_manifest(APP, "1.0")


def test_a_blob_is_fetched_from_where_the_registry_keeps_it_without_our_token(odd: Odd) -> None:
    seen: list[tuple[str, str | None]] = []

    def store(request: Request) -> Response:
        seen.append((request.full_path, request.headers.get("Authorization")))
        return Response(BODY)

    with _served(store) as url:
        client = odd(lambda _: Response("", 307, headers={"Location": f"{url}/bucket?signature=1"}))

        assert client.get_blob(APP, DIGEST, max_bytes=100) == BODY
    assert seen == [("/bucket?signature=1", None)]


@pytest.mark.parametrize("location", ["/v2/again", "ftp://example/x", "http://", "http://127.0.0.1:1/x", "http://[::"])
def test_a_blob_that_is_nowhere_is_an_error(odd: Odd, location: str) -> None:
    with pytest.raises((InvalidAnswer, RegistryUnavailable)):
        odd(lambda _: Response("", 307, headers={"Location": location})).get_blob(APP, DIGEST, max_bytes=100)


def test_a_registry_that_wants_a_password_is_told_to_want_tokens(odd: Odd) -> None:
    client = odd(lambda _: Response("", 401, headers={"WWW-Authenticate": 'Basic realm="basic-realm"'}))

    with capture_logs() as logs, pytest.raises(RegistryRefused):
        client.list_tags(APP)
    assert [entry["event"] for entry in logs] == ["registry.asks_for_no_token"]
    assert "auth.token" in logs[0]["hint"]


@contextmanager
def _served(answer: Answers) -> Iterator[str]:
    with serving(Request.application(answer)) as url:
        yield url
