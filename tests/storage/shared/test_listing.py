"""Lists out of a database, on SQLite and on PostgreSQL: order, narrowing, pages and parts by key."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Connection, Integer, String, Table, select

from shared.api.paging import EVERYTHING, MAX_ALL_ROWS, Cursor, ListRequest, Order, PageRequest, TooManyRows
from shared.database import Database, UtcDateTime, new_metadata
from shared.listing import Listed, Listing, fetch_list, fetch_slice

START = datetime(2026, 1, 1, tzinfo=UTC)

metadata = new_metadata()
ships = Table(
    "ships",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("flag", String(255)),
    Column("kind", String(16), nullable=False),
    Column("afloat", Boolean, nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
)


class Kind(StrEnum):
    TUG = "tug"
    FERRY = "ferry"


SHIPS = Listing(
    {
        "id": Listed(ships.c.id),
        "name": Listed(ships.c.name, fold=str.lower, prefix=True),
        "flag": Listed(ships.c.flag),
        "kind": Listed(ships.c.kind, choices=Kind),
        "afloat": Listed(ships.c.afloat),
        "built_at": Listed(ships.c.built_at),
    },
    search=[ships.c.name, ships.c.flag],
)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    database = Database(database_url)
    metadata.create_all(database.engine)
    with database.write() as connection:
        yield connection
    database.dispose()


def insert(connection: Connection, *rows: dict[str, Any]) -> None:
    """Insert ships; a row says only what matters."""
    plain = {"name": "x", "flag": None, "kind": "tug", "afloat": True, "built_at": START}
    connection.execute(ships.insert(), [{**plain, **row} for row in rows])


def ids(connection: Connection, **request: Any) -> list[int]:
    page = fetch_list(connection, select(ships), SHIPS, ListRequest(**request), load=lambda row: row)
    return [row.id for row in page.rows]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"id": 2}, [2]),
        ({"name": "MARY"}, [1]),
        ({"name_prefix": "mar"}, [1, 2]),
        ({"name_prefix": "m%r"}, []),
        ({"flag": "NL"}, [1, 3]),
        ({"kind": Kind.FERRY}, [2]),
        ({"afloat": False}, [3]),
        ({"built_at_from": START + timedelta(days=2)}, [2, 3]),
        ({"built_at_until": START + timedelta(days=2)}, [1]),
        ({"flag": "NL", "afloat": True}, [1]),
        ({"q": "AR"}, [1, 2]),
        ({"q": "nl"}, [1, 3]),
        ({"q": "_"}, [3]),
        ({"q": "%"}, []),
        ({}, [1, 2, 3]),
    ],
)
def test_a_list_is_narrowed(connection: Connection, filters: dict[str, Any], found: list[int]) -> None:
    insert(
        connection,
        {"name": "mary", "flag": "NL", "built_at": START + timedelta(days=1)},
        {"name": "martha", "kind": "ferry", "built_at": START + timedelta(days=2)},
        {"name": "old_tub", "flag": "NL", "afloat": False, "built_at": START + timedelta(days=3)},
    )

    assert ids(connection, filters=filters) == found


def test_a_beginning_is_told_from_another_in_upper_case(connection: Connection) -> None:
    listing = Listing({"id": Listed(ships.c.id), "name": Listed(ships.c.name, prefix=True)})
    insert(connection, {"name": "Mary"}, {"name": "mary"})

    page = fetch_list(
        connection, select(ships), listing, ListRequest(filters={"name_prefix": "M"}), load=lambda row: row
    )

    assert [row.name for row in page.rows] == ["Mary"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (Order("flag"), [2, 1, 3, 4]),
        (Order("flag", descending=True), [4, 3, 1, 2]),
        (Order("id", descending=True), [4, 3, 2, 1]),
    ],
)
def test_an_order_is_the_same_everywhere_and_backwards(connection: Connection, order: Order, found: list[int]) -> None:
    """Equal rows are sorted by id, and what is NULL comes last."""
    insert(connection, {"flag": "b"}, {"flag": "a"}, {"flag": None}, {"flag": None})

    assert ids(connection, order=order) == found


def test_a_page_knows_how_long_the_narrowed_list_is(connection: Connection) -> None:
    insert(connection, *({"afloat": number % 2 == 0} for number in range(9)))

    page = fetch_list(
        connection,
        select(ships),
        SHIPS,
        ListRequest(PageRequest(page=2, per_page=2), filters={"afloat": True}),
        load=lambda row: row.id,
    )

    assert (page.rows, page.total, page.total_pages) == ([5, 7], 5, 3)


def test_everything_comes_in_one_page_up_to_a_limit(connection: Connection) -> None:
    insert(connection, *({"name": f"ship {number}"} for number in range(MAX_ALL_ROWS)))
    assert len(ids(connection, page=EVERYTHING)) == MAX_ALL_ROWS

    insert(connection, {"name": "one more"})

    with pytest.raises(TooManyRows, match="per_page"):
        ids(connection, page=EVERYTHING)
    assert ids(connection, page=EVERYTHING, filters={"name": "one more"}) == [MAX_ALL_ROWS + 1]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("attribute", SHIPS.key_names())
def test_parts_by_key_bring_every_row_once(connection: Connection, attribute: str, descending: bool) -> None:
    order = Order(attribute, descending)
    insert(
        connection,
        *(
            {
                "name": f"ship {n // 3}",
                "kind": ("tug", "ferry")[n % 2],
                "afloat": n % 2 == 0,
                "built_at": START + timedelta(days=n // 2),
            }
            for n in range(11)
        ),
    )

    found: list[int] = []
    after: Cursor | None = None
    while True:
        request = ListRequest(PageRequest(per_page=2), order, after=after)
        part = fetch_slice(connection, select(ships), SHIPS, request, load=lambda row: row.id)
        found += part.rows
        after = part.following
        if after is None:
            break
        if attribute == "kind":
            # As the query parameter is read.
            after = replace(after, value=Kind(after.value))

    assert found == ids(connection, order=order)


def test_a_column_that_may_be_null_is_no_key() -> None:
    assert SHIPS.key_names() == ["id", "name", "kind", "afloat", "built_at"]


def test_a_row_that_comes_in_between_moves_nothing(connection: Connection) -> None:
    order, page = Order("id", descending=True), PageRequest(per_page=2)
    insert(connection, *({"name": "old"} for _ in range(4)))
    first = fetch_slice(connection, select(ships), SHIPS, ListRequest(page, order), load=lambda row: row.id)

    insert(connection, {"name": "new"})

    request = ListRequest(page, order, after=first.following)
    second = fetch_slice(connection, select(ships), SHIPS, request, load=lambda row: row.id)
    assert (first.rows, second.rows, second.following) == ([4, 3], [2, 1], None)


def test_a_row_is_loaded_without_its_key(connection: Connection) -> None:
    insert(connection, {"name": "mary"})

    part = fetch_slice(connection, select(ships.c.name), SHIPS, ListRequest(), load=lambda row: dict(row._mapping))

    assert part.rows == [{"name": "mary"}]
