"""The promises of every API about versions, repeated creations, bodies and pages of other hosts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import Schema, fields, validate
from sqlalchemy import Column, Integer, String, Table, func, insert, select
from werkzeug.test import TestResponse

from shared.api.application import new_api_app
from shared.api.blueprints import ApiBlueprint
from shared.api.cors import register_cors
from shared.api.creation import register_creation
from shared.api.etags import if_match
from shared.api.openapi import new_openapi
from shared.clock import utc_now
from shared.database import Database, new_metadata
from shared.idempotency import KeptAnswers, idempotency_table

PORTAL = "https://portus.example.org"
METADATA = new_metadata()
SHIPS = Table("ships", METADATA, Column("id", Integer, primary_key=True), Column("name", String(64), nullable=False))
KEYS = idempotency_table(METADATA)


class ShipSchema(Schema):
    id = fields.Integer()
    name = fields.String()


class NewShipSchema(Schema):
    name = fields.String(required=True, validate=validate.Length(1, 64))
    tons = fields.Integer()


class Plain:
    """A cipher that hides nothing, so that a test can look."""

    def encrypt(self, plain: bytes) -> bytes:
        return plain

    def decrypt(self, encrypted: bytes) -> bytes | None:
        return encrypted


class ShipSunk(Exception):
    """The use case fails after it has written."""


@dataclass
class Ship:
    id: int
    name: str


@dataclass
class Harbour:
    """An API of ships, and the database behind it."""

    database: Database
    caller: str = "jane"
    sinks: bool = False

    def insert(self, name: str) -> Ship:
        with self.database.write() as connection:
            number = connection.execute(insert(SHIPS).values(name=name).returning(SHIPS.c.id)).scalar_one()
        if self.sinks:
            raise ShipSunk
        return Ship(number, name)

    def count(self) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(SHIPS)).scalar_one()

    def app(self) -> Flask:
        app = new_api_app("tests", checks={}, errors={})
        register_cors(app, f"{PORTAL}/somewhere")
        register_creation(app, KeptAnswers(self.database, KEYS, Plain(), utc_now), lambda: self.caller)
        new_openapi(app, title="tests", version="1").register_blueprint(self.blueprint())
        return app

    def blueprint(self) -> ApiBlueprint:
        blueprint = ApiBlueprint("ships", __name__, url_prefix="/api/ships")

        @blueprint.route("", methods=["POST"])
        @blueprint.creates(".show", ship_id="id")
        @blueprint.arguments(NewShipSchema)
        @blueprint.response(201, ShipSchema)
        def post(values: dict[str, Any]) -> Ship:
            return self.insert(values["name"])

        @blueprint.route("/<int:ship_id>")
        @blueprint.versioned
        @blueprint.response(200, ShipSchema)
        def show(ship_id: int) -> Ship:
            return Ship(ship_id, "mary")

        @blueprint.route("/<int:ship_id>", methods=["PUT"])
        @blueprint.versioned
        @blueprint.arguments(NewShipSchema)
        @blueprint.response(200, ShipSchema)
        def put(values: dict[str, Any], ship_id: int) -> Ship:
            if_match(ShipSchema())(Ship(ship_id, "mary"))
            return Ship(ship_id, values["name"])

        return blueprint


@pytest.fixture
def harbour(database_url: str) -> Iterator[Harbour]:
    database = Database(database_url)
    METADATA.create_all(database.engine)
    yield Harbour(database)
    database.dispose()


@pytest.fixture
def client(harbour: Harbour) -> FlaskClient:
    return harbour.app().test_client()


def post(client: FlaskClient, name: str = "mary", *, key: str | None = "k") -> TestResponse:
    return client.post("/api/ships", json={"name": name}, headers={"Idempotency-Key": key} if key else {})


def test_an_answer_says_where_the_new_thing_is(client: FlaskClient) -> None:
    answer = post(client, key=None)

    assert (answer.status_code, answer.headers["Location"]) == (201, "/api/ships/1")


def test_the_same_request_gets_the_same_answer_and_makes_nothing(client: FlaskClient, harbour: Harbour) -> None:
    first, second = post(client), post(client)

    assert (second.status_code, second.data, second.headers["Location"]) == (201, first.data, first.headers["Location"])
    assert second.content_type == first.content_type
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert harbour.count() == 1


def test_without_a_key_every_request_makes_something(client: FlaskClient, harbour: Harbour) -> None:
    assert [post(client, key=None).get_json()["id"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
def test_a_key_that_cannot_be_is_refused(client: FlaskClient, harbour: Harbour, key: str) -> None:
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}

    answer = client.post("/api/ships", json={"name": "mary"}, headers=headers)

    assert answer.status_code == 400
    assert "visible ASCII" in answer.text
    assert harbour.count() == 0


def test_a_key_of_255_characters_is_good(client: FlaskClient) -> None:
    assert post(client, key="~" * 255).status_code == 201


def test_another_body_under_the_same_key_is_refused(client: FlaskClient, harbour: Harbour) -> None:
    post(client)

    answer = post(client, "martha")

    assert answer.status_code == 422
    assert "another body" in answer.text
    assert harbour.count() == 1


def test_another_query_under_the_same_key_is_refused(client: FlaskClient) -> None:
    post(client)

    answer = client.post("/api/ships?force=true", json={"name": "mary"}, headers={"Idempotency-Key": "k"})

    assert answer.status_code == 422


def test_each_caller_has_keys_of_their_own(client: FlaskClient, harbour: Harbour) -> None:
    post(client)
    harbour.caller = "john"

    answer = post(client, "martha")

    assert (answer.status_code, answer.get_json()["name"]) == (201, "martha")


@pytest.mark.parametrize("sinks", [False, True], ids=["refused before", "failed after a write"])
def test_what_failed_leaves_nothing_and_the_key_free(client: FlaskClient, harbour: Harbour, sinks: bool) -> None:
    harbour.sinks = sinks

    failed = post(client, "mary" if sinks else "")
    harbour.sinks = False

    assert failed.status_code == (500 if sinks else 422)
    assert (post(client).status_code, harbour.count()) == (201, 1)


def test_a_version_is_the_same_until_something_changes(client: FlaskClient) -> None:
    first, second, other = (client.get(f"/api/ships/{number}") for number in (1, 1, 2))

    tag = first.headers["ETag"]
    assert tag == second.headers["ETag"]
    assert tag != other.headers["ETag"]
    assert tag.startswith('"')


@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"x", {tag}', "*"])
def test_a_reader_who_has_the_version_gets_no_body(client: FlaskClient, known: str) -> None:
    tag = client.get("/api/ships/1").headers["ETag"]

    answer = client.get("/api/ships/1", headers={"If-None-Match": known.format(tag=tag)})

    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in answer.headers


def test_a_reader_who_has_another_version_gets_this_one(client: FlaskClient) -> None:
    assert client.get("/api/ships/1", headers={"If-None-Match": '"x"'}).get_json()["name"] == "mary"


def test_an_answer_for_one_caller_is_for_nobody_elses_cache(client: FlaskClient) -> None:
    headers = client.get("/api/ships/1").headers

    assert headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in headers["Vary"]


@pytest.mark.parametrize(
    ("seen", "status"),
    [("{tag}", 200), ("*", 200), ('"x", {tag}', 200), (None, 200), ('"x"', 412), ("W/{tag}", 412), ("x", 412)],
)
def test_a_change_of_another_version_is_refused(client: FlaskClient, seen: str | None, status: int) -> None:
    tag = client.get("/api/ships/1").headers["ETag"]
    headers = {"If-Match": seen.format(tag=tag)} if seen else {}

    answer = client.put("/api/ships/1", json={"name": "martha"}, headers=headers)

    assert answer.status_code == status
    assert "ETag" in answer.headers if status == 200 else "read it again" in answer.text


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": b"\xff", "content_type": "application/json"}, 400),
        ({"json": {}}, 400),
        ({"json": {"tons": "many"}}, 400),
        ({"json": []}, 400),
        ({"json": None}, 400),
        ({}, 400),
        ({"data": "name=mary", "content_type": "application/x-www-form-urlencoded"}, 415),
        ({"json": {"name": ""}}, 422),
        ({"json": {"name": None}}, 422),
        ({"json": {"name": "mary", "tons": "many"}}, 422),
        ({"json": {"name": "mary", "sails": 3}}, 422),
    ],
)
def test_a_body_that_cannot_be_read_is_400_and_a_value_that_may_not_be_422(
    client: FlaskClient, options: dict[str, Any], status: int
) -> None:
    answer = client.post("/api/ships", **options)

    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"


def test_faults_are_told_by_field(client: FlaskClient) -> None:
    body = client.post("/api/ships", json={"tons": "many"}).get_json(force=True)

    assert set(body["errors"]) == {"name", "tons"}
    assert body["message"] == body["errors"]


def test_a_page_of_another_host_may_call_without_credentials(client: FlaskClient) -> None:
    headers = client.get("/api/ships/1", headers={"Origin": "https://other.example.org"}).headers

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    exposed = headers["Access-Control-Expose-Headers"]
    assert {"Link", "X-Total", "X-Per-Page", "ETag", "Location"} <= set(exposed.split(", "))


def test_a_page_of_the_portal_may_call_with_credentials(client: FlaskClient) -> None:
    headers = client.get("/api/ships/1", headers={"Origin": PORTAL}).headers

    assert (headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Credentials"]) == (PORTAL, "true")
    assert "Origin" in headers["Vary"]


@pytest.mark.parametrize("origin", [f"{PORTAL}.evil.example", "http://portus.example.org", "null", f"{PORTAL}:8443"])
def test_nobody_else_is_taken_for_the_portal(client: FlaskClient, origin: str) -> None:
    headers = client.get("/api/ships/1", headers={"Origin": origin}).headers

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers


def test_a_refusal_can_be_read_by_a_page_too(client: FlaskClient) -> None:
    answer = client.get("/api/nothing", headers={"Origin": "https://other.example.org"})

    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (404, "*")


def test_asking_beforehand_says_what_is_allowed(client: FlaskClient) -> None:
    asked = {"Origin": "https://other.example.org", "Access-Control-Request-Method": "PUT"}

    answer = client.options("/api/ships/1", headers=asked)

    assert answer.status_code == 200
    assert {"GET", "PUT", "OPTIONS"} <= set(answer.headers["Allow"].split(", "))
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert {"Authorization", "If-Match", "Idempotency-Key"} <= set(
        answer.headers["Access-Control-Allow-Headers"].split(", ")
    )


def test_nothing_outside_of_the_api_is_opened(client: FlaskClient) -> None:
    headers = client.get("/healthz", headers={"Origin": PORTAL}).headers

    assert not [name for name, _ in headers if name.startswith("Access-Control")]


def test_the_document_says_where_a_convention_holds(client: FlaskClient) -> None:
    paths = client.get("/api/openapi.json").get_json()["paths"]
    make, show, change = paths["/api/ships"]["post"], *(paths["/api/ships/{ship_id}"][verb] for verb in ("get", "put"))

    assert [parameter["name"] for parameter in make["parameters"]] == ["Idempotency-Key"]
    assert set(make["responses"]["201"]["headers"]) == {"Location", "Idempotency-Replayed"}
    assert set(make["responses"]) == {"201", "400", "409", "422", "default"}
    assert [parameter["name"] for parameter in show["parameters"]] == ["If-None-Match"]
    assert set(show["responses"]) == {"200", "304", "default"}
    assert [parameter["name"] for parameter in change["parameters"]] == ["If-Match"]
    assert set(change["responses"]) == {"200", "400", "412", "422", "default"}
    assert set(show["responses"]["200"]["headers"]) == {"ETag"}
