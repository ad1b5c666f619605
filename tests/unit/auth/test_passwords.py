"""Passwords and what is remembered of them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import extract_parameters

from services.auth.domain.errors import Overloaded
from services.auth.usecases.memory import MAX_MISSES, Attempt, PasswordMemory
from services.auth.usecases.passwords import Passwords, new_hasher
from shared.config import Secret
from tests.support.auth import CountingHasher, TestClock

RIGHT = Secret("the right password")


def test_production_hashes_as_owasp_recommends() -> None:
    parameters = extract_parameters(new_hasher().hash("x"))

    assert parameters.type.name == "ID"
    assert (parameters.time_cost, parameters.memory_cost, parameters.parallelism) == (2, 19456, 1)


@pytest.mark.parametrize("password", ["the right password", "päss", "\ud800", "x" * 10_000])
def test_a_password_matches_its_own_hash_only(password: str) -> None:
    passwords = Passwords(CountingHasher())
    stored = passwords.hash(Secret(password))

    assert passwords.matches(stored, Secret(password))
    assert not passwords.matches(stored, Secret(password + "x"))


@pytest.mark.parametrize("stored", ["", "nonsense", "$2a$10$abcdefghijklmnopqrstuv"])
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not Passwords(CountingHasher()).matches(stored, RIGHT)


def test_nobodys_hash_is_nobodys_password() -> None:
    one, other = Passwords(CountingHasher()), Passwords(CountingHasher())

    assert one.nobodys_hash != other.nobodys_hash
    assert not one.matches(one.nobodys_hash, Secret(""))


def test_only_so_many_are_hashed_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()
    passwords = Passwords(CountingHasher(), slots=2)

    def work(_number: int) -> None:
        nonlocal running, most
        with passwords.slot():
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.005)
            with lock:
                running -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(24)))

    assert most == 2


def test_whoever_waits_too_long_for_a_slot_is_told() -> None:
    passwords = Passwords(CountingHasher(), slots=1, wait_s=0.01)

    with passwords.slot(), pytest.raises(Overloaded), passwords.slot():
        pass


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def memory(clock: TestClock) -> PasswordMemory:
    return PasswordMemory(clock)


def attempt(
    memory: PasswordMemory,
    password: Secret = RIGHT,
    *,
    account: str = "jane",
    address: str = "home",
    state: str = "1:True:hash",
) -> Attempt:
    return memory.attempt(account, address, state=state, password=password)


@pytest.mark.parametrize("outcome", [True, False])
def test_the_same_attempt_is_recalled(memory: PasswordMemory, outcome: bool) -> None:
    memory.remember(attempt(memory), outcome=outcome)

    assert memory.recall(attempt(memory)) is outcome


@pytest.mark.parametrize(
    "change",
    [
        {"password": Secret("another password")},
        {"account": "john"},
        {"address": "elsewhere"},
        {"state": "1:False:hash"},
        {"state": "1:True:another hash"},
        {"state": "2:True:hash"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_difference_is_another_attempt(memory: PasswordMemory, change: dict[str, object]) -> None:
    memory.remember(attempt(memory), outcome=True)

    assert memory.recall(attempt(memory, **change)) is None  # type: ignore[arg-type]


def test_an_attempt_is_forgotten_after_a_minute(memory: PasswordMemory, clock: TestClock) -> None:
    memory.remember(attempt(memory), outcome=True)
    clock.advance(seconds=59)
    assert memory.recall(attempt(memory)) is True

    clock.advance(seconds=1)

    assert memory.recall(attempt(memory)) is None


def test_a_wrong_attempt_does_not_displace_the_right_one(memory: PasswordMemory) -> None:
    memory.remember(attempt(memory), outcome=True)
    memory.remember(attempt(memory, Secret("wrong")), outcome=False)

    assert memory.recall(attempt(memory)) is True
    assert memory.recall(attempt(memory, Secret("wrong"))) is False


def test_too_many_misses_make_it_forget(memory: PasswordMemory) -> None:
    memory.remember(attempt(memory), outcome=True)
    for number in range(MAX_MISSES - 1):
        memory.note_miss(attempt(memory, Secret(f"guess {number}")))
    assert memory.recall(attempt(memory)) is True

    memory.note_miss(attempt(memory, Secret("one more")))

    assert memory.recall(attempt(memory)) is None


def test_a_miss_of_a_stranger_is_no_fault() -> None:
    memory = PasswordMemory(TestClock())

    memory.note_miss(attempt(memory))


def test_the_memory_is_bounded(clock: TestClock) -> None:
    memory = PasswordMemory(clock, max_entries=3)
    for number in range(5):
        memory.remember(attempt(memory, account=f"user{number}"), outcome=True)

    recalled = [memory.recall(attempt(memory, account=f"user{number}")) for number in range(5)]

    assert recalled == [None, None, True, True, True]


def test_neither_passwords_nor_comparable_hashes_are_kept(memory: PasswordMemory) -> None:
    """Each process has a key of its own: what one keeps means nothing to another."""
    other = PasswordMemory(TestClock())

    assert RIGHT.reveal() not in repr(vars(memory))
    assert attempt(memory).proof != attempt(other).proof
