"""The query parameters of a list, as its declaration makes them, and the headers of a part by key."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient
from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table
from werkzeug.test import TestResponse

from shared.api.application import new_api_app
from shared.api.blueprints import ApiBlueprint
from shared.api.lists import either_query, key_query, page_query
from shared.api.openapi import new_openapi
from shared.api.paging import EVERYTHING, Cursor, ListRequest, Order, Page, PageRequest, TooManyRows
from shared.api.slices import Slice, set_part_headers, set_slice_headers
from shared.database import UtcDateTime, new_metadata
from shared.listing import Listed, Listing


class Kind(StrEnum):
    TUG = "tug"
    FERRY = "ferry"


SHIPS = Table(
    "ships",
    new_metadata(),
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("kind", String(16)),
    Column("afloat", Boolean),
    Column("tons", BigInteger),
    Column("built_at", UtcDateTime, nullable=False),
)
LISTING = Listing(
    {
        "id": Listed(SHIPS.c.id),
        "name": Listed(SHIPS.c.name, prefix=True),
        "kind": Listed(SHIPS.c.kind, choices=Kind),
        "afloat": Listed(SHIPS.c.afloat),
        "tons": Listed(SHIPS.c.tons),
        "built_at": Listed(SHIPS.c.built_at),
    },
    search=[SHIPS.c.name],
)
NEWEST_FIRST = Listing(LISTING.columns, order=Order("built_at", descending=True))
BUILT_AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Asked:
    """Two lists whose views keep what they were asked."""

    def __init__(self) -> None:
        self.request: ListRequest | None = None
        self.following: Cursor | None = None
        app = new_api_app("tests", checks={}, errors={})
        api = new_openapi(app, title="tests", version="1")
        blueprint = ApiBlueprint("ships", __name__)

        @blueprint.route("/pages")
        @blueprint.arguments(page_query(LISTING), location="query")
        def pages(asked: ListRequest) -> Response:
            self.request = asked
            if asked.page == EVERYTHING:
                raise TooManyRows(12_345)
            return jsonify([])

        @blueprint.route("/parts")
        @blueprint.arguments(key_query(NEWEST_FIRST), location="query")
        def parts(asked: ListRequest) -> Response:
            self.request = asked
            return set_slice_headers(jsonify([]), Slice([], asked, self.following))

        @blueprint.route("/either")
        @blueprint.arguments(either_query(LISTING), location="query")
        def either(asked: ListRequest) -> Response:
            self.request = asked
            if asked.by_key:
                return set_part_headers(jsonify([]), Slice([], asked, self.following))
            return set_part_headers(jsonify([]), Page([], 0, asked.page))

        api.register_blueprint(blueprint)
        self.app: Flask = app

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def of(self, address: str) -> ListRequest:
        """Return what the view was asked."""
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        assert self.request is not None
        return self.request


@pytest.fixture
def asked() -> Asked:
    return Asked()


def refusal(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    return dict(answer.get_json(force=True)["errors"])


def test_without_parameters_the_declaration_decides(asked: Asked) -> None:
    assert asked.of("/pages") == ListRequest()
    assert asked.of("/parts") == ListRequest(order=Order("built_at", descending=True))


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("sort_attr=name", Order("name")),
        ("sort_attr=name&sort_order=desc", Order("name", descending=True)),
        ("sort_order=desc", Order("id", descending=True)),
    ],
)
def test_a_caller_chooses_the_order(asked: Asked, query: str, order: Order) -> None:
    assert asked.of(f"/pages?{query}").order == order


def test_another_column_has_its_own_direction(asked: Asked) -> None:
    assert asked.of("/parts?sort_attr=name").order == Order("name")
    assert asked.of("/parts?sort_order=asc").order == Order("built_at")


def test_a_column_that_does_not_exist_is_refused_with_those_that_do(asked: Asked) -> None:
    faults = refusal(asked.client.get("/pages?sort_attr=password_hash"))

    assert faults == {"sort_attr": ["must be one of: id, name, kind, afloat, tons, built_at"]}


def test_a_list_by_key_is_sorted_by_what_is_never_null(asked: Asked) -> None:
    faults = refusal(asked.client.get("/parts?sort_attr=tons"))

    assert faults == {"sort_attr": ["must be one of: id, name, built_at"]}


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("name=mary", {"name": "mary"}),
        ("name_prefix=ma", {"name_prefix": "ma"}),
        ("kind=tug", {"kind": Kind.TUG}),
        ("afloat=false", {"afloat": False}),
        ("tons=3000000000", {"tons": 3_000_000_000}),
        ("built_at_from=2026-01-01T12:00:00Z", {"built_at_from": BUILT_AT}),
        ("built_at_until=2026-01-01T12:00", {"built_at_until": BUILT_AT}),
        ("q=ar&kind=ferry", {"q": "ar", "kind": Kind.FERRY}),
    ],
)
def test_a_value_arrives_as_what_it_is(asked: Asked, query: str, filters: dict[str, Any]) -> None:
    assert asked.of(f"/pages?{query}").filters == filters


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("id=99999999999", "id"),
        ("tons=99999999999999999999", "tons"),
        ("kind=raft", "kind"),
        ("afloat=perhaps", "afloat"),
        ("name=%00", "name"),
        ("name=" + "x" * 256, "name"),
        ("q=", "q"),
        ("built_at_from=yesterday", "built_at_from"),
        ("built_at_from=0001-01-01T00:00:00%2B14:00", "built_at_from"),
        ("built_at_until=9999-12-31T23:59:59-14:00", "built_at_until"),
        ("per_page=101", "per_page"),
        ("page=0", "page"),
        ("sort_order=up", "sort_order"),
    ],
)
def test_a_value_that_no_column_holds_is_refused(asked: Asked, query: str, parameter: str) -> None:
    assert list(refusal(asked.client.get(f"/pages?{query}"))) == [parameter]


def test_everything_is_one_page(asked: Asked) -> None:
    answer = asked.client.get("/pages?all=true&page=7&per_page=2")

    assert asked.request == ListRequest(EVERYTHING)
    assert answer.status_code == 400
    assert "12345" in answer.text
    assert "per_page" in answer.text
    assert asked.of("/pages?all=false&per_page=2").page == PageRequest(1, 2)


@pytest.mark.parametrize("order", ["", "sort_attr=name", "sort_attr=id&sort_order=desc"])
def test_the_link_leads_to_the_next_part(asked: Asked, order: str) -> None:
    value = {"": BUILT_AT, "sort_attr=name": 'a "b"'}.get(order, 7)
    asked.following = Cursor(value, 7)

    answer = asked.client.get(f"/parts?{order}&per_page=3&kind=tug")
    address = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')

    assert answer.headers["X-Per-Page"] == "3"
    assert "X-Total" not in answer.headers
    followed = asked.of(address)
    assert followed.after == asked.following
    assert (followed.page.per_page, followed.filters) == (3, {"kind": Kind.TUG})


def test_a_list_that_can_be_walked_either_way_is_walked_by_page_unless_asked(asked: Asked) -> None:
    assert asked.of("/either") == ListRequest()
    assert asked.client.get("/either").headers["X-Total"] == "0"


def test_and_by_key_when_asked_to_the_end(asked: Asked) -> None:
    asked.following = Cursor("a", 7)

    answer = asked.client.get("/either?by_key=true&sort_attr=name")
    address = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')

    assert "X-Total" not in answer.headers
    followed = asked.of(address)
    assert (followed.by_key, followed.after) == (True, asked.following)
    without = address.replace("by_key=true&", "")
    assert asked.of(without).by_key, "a cursor is enough"


@pytest.mark.parametrize("query", ["by_key=true&sort_attr=tons", "by_key=perhaps"])
def test_but_not_by_what_may_be_null(asked: Asked, query: str) -> None:
    assert refusal(asked.client.get(f"/either?{query}")).keys() <= {"sort_attr", "by_key"}


def test_the_last_part_has_no_link(asked: Asked) -> None:
    assert "Link" not in asked.client.get("/parts").headers


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "é",
        "bnVsbA",
        "W10",
        "WyJidWlsdF9hdCIsdHJ1ZSwieCIsN10",
        "WyJidWlsdF9hdCIsdHJ1ZSxudWxsLDdd",
        "WyJidWlsdF9hdCIsdHJ1ZSwiMjAyNi0wMS0wMSIsOTk5OTk5OTk5OTk5OV0",
        "Ww" * 512,
        "x" * 1025,
    ],
)
def test_a_cursor_that_nobody_made_is_refused(asked: Asked, after: str) -> None:
    assert "after" in refusal(asked.client.get("/parts", query_string={"after": after}))


def test_a_cursor_of_another_order_is_refused(asked: Asked) -> None:
    asked.following = Cursor(BUILT_AT, 7)
    address = asked.client.get("/parts").headers["Link"].removeprefix("<").removesuffix('>; rel="next"')

    faults = refusal(asked.client.get(f"{address}&sort_order=asc"))

    assert faults == {"after": ["belongs to another order: begin again without it"]}


def test_a_parameter_that_is_not_known_is_refused(asked: Asked) -> None:
    """Or a typing error would widen a list that a script then works on."""
    assert list(refusal(asked.client.get("/pages?nmae=mary"))) == ["nmae"]


def test_every_parameter_is_documented(asked: Asked) -> None:
    paths = asked.client.get("/api/openapi.json").get_json()["paths"]

    pages = {parameter["name"] for parameter in paths["/pages"]["get"]["parameters"]}
    parts = {parameter["name"] for parameter in paths["/parts"]["get"]["parameters"]}
    own = {"id", "name", "name_prefix", "kind", "afloat", "tons", "built_at_from", "built_at_until"}
    assert pages == own | {"q", "page", "per_page", "all", "sort_attr", "sort_order"}
    assert parts == own | {"after", "per_page", "sort_attr", "sort_order"}
