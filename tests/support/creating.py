"""What every service promises of creations that are sent again."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, func, select
from werkzeug.test import TestResponse

from shared.clock import Clock, utc_now
from shared.database import Database
from tests.support.auth import assert_problem

KEY = "once-and-never-again"


@dataclass(frozen=True)
class Creation:
    """A route that makes something.

    Args:
        body: a good one.
        other: another good one.
        refused: one of which nothing can be made.
    """

    path: str
    body: dict[str, Any]
    other: dict[str, Any]
    refused: dict[str, Any]


@dataclass(frozen=True)
class Maker:
    """Sends creations.

    Args:
        call: ``(method, path, *, as_, json, headers)``.
        author: who may.
        keys: the table of the kept answers.
    """

    call: Callable[..., TestResponse]
    author: str
    database: Database
    keys: Table

    def make(
        self, creation: Creation, body: dict[str, Any] | None = None, *, as_: str | None = "", key: str = KEY
    ) -> TestResponse:
        headers = {"Idempotency-Key": key}
        who = self.author if as_ == "" else as_
        return self.call("POST", creation.path, as_=who, json=body or creation.body, headers=headers)

    def count(self, creation: Creation) -> int:
        """Return how many there are."""
        listed: Any = self.call("GET", creation.path.removesuffix("/headers"), as_=self.author).json
        return len(listed["headers"] if creation.path.endswith("/headers") else listed)

    def kept(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(self.keys)).all())


def creating_routes(document: dict[str, Any]) -> dict[str, bool]:
    """Return the routes that answer 201, and whether each takes a key."""
    posts = {path: operations["post"] for path, operations in document["paths"].items() if "post" in operations}
    return {
        path: any(one.get("name") == "Idempotency-Key" for one in operation.get("parameters", []))
        for path, operation in posts.items()
        if "201" in operation["responses"]
    }


def check_repeating(maker: Maker, creation: Creation) -> None:
    """The same request gets the same answer and makes nothing; what was made is found where the answer says."""
    before = maker.count(creation)
    first, second = maker.make(creation), maker.make(creation)

    assert (first.status_code, second.status_code, second.data) == (201, 201, first.data), first.text
    assert first.headers["Location"] == second.headers["Location"]
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (False, "true")
    assert maker.count(creation) == before + 1
    shown = maker.call("GET", first.headers["Location"].removeprefix("/api/v1"), as_=maker.author)
    assert shown.json == first.json


def check_another_body(maker: Maker, creation: Creation) -> None:
    """A key belongs to one request."""
    maker.make(creation)

    assert_problem(maker.make(creation, creation.other), 422, "another body")
    assert maker.make(creation, creation.other, key="another").status_code == 201


def check_refusal(maker: Maker, creation: Creation) -> None:
    """What was refused leaves the key free."""
    assert maker.make(creation, creation.refused).status_code == 422
    assert maker.kept() == []

    assert maker.make(creation).status_code == 201


def check_at_once(maker: Maker, creation: Creation) -> None:
    """Of two at once one makes it; the other gets its answer, or is told to come again."""
    before, answers = maker.count(creation), list[int]()
    threads = [
        threading.Thread(target=lambda: answers.append(maker.make(creation).status_code)) for _number in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(answers) <= {201, 409}
    assert maker.make(creation).status_code == 201
    assert maker.count(creation) == before + 1


def check_kept(maker: Maker, creation: Creation, forget: Callable[[Clock], object], *clear: str) -> None:
    """Nothing is kept in clear, and nothing for longer than a day.

    Args:
        forget: what housekeeping does.
        clear: what must not be read in the table.
    """
    made = maker.make(creation)
    (row,) = maker.kept()
    for word in (KEY, made.text, *clear):
        assert word not in str(row)

    forget(lambda: utc_now() + timedelta(hours=23))
    assert len(maker.kept()) == 1
    forget(lambda: utc_now() + timedelta(hours=24, minutes=1))
    with maker.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(maker.keys)).scalar_one() == 0
