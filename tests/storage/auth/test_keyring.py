"""Leaves: one for all processes, renewed daily, outliving every token they sign."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from sqlalchemy import select, update

from services.auth.domain.actors import COMMAND_LINE
from services.auth.domain.errors import SigningUnavailable
from services.auth.signing.algorithms import Algorithm
from services.auth.signing.keyring import MARGIN
from services.auth.signing.leaves import SIGNS_AFTER, SigningLeaf, libtrust_fingerprint
from services.auth.storage.tables import signing_leaves
from tests.support.auth import AuthService
from tests.support.authorities import make_ca, new_keyring
from tests.support.statements import database_away, statements
from tests.support.waiting import wait_until


def stored(auth: AuthService) -> list[str]:
    with auth.database.read() as connection:
        return list(connection.execute(select(signing_leaves.c.kid)).scalars())


def test_the_first_to_need_a_leaf_mints_it(auth: AuthService) -> None:
    leaf = new_keyring(auth).current()

    assert stored(auth) == [leaf.kid]
    assert leaf.kid == libtrust_fingerprint(leaf.public_key)


def test_all_processes_agree_on_the_leaf(auth: AuthService) -> None:
    keyrings = [new_keyring(auth) for _ in range(6)]

    with ThreadPoolExecutor(6) as threads:
        kids = set(threads.map(lambda keyring: keyring.current().kid, keyrings))

    assert len(kids) == 1
    assert stored(auth) == list(kids)


def test_a_private_key_is_stored_encrypted(auth: AuthService) -> None:
    new_keyring(auth).current()

    with auth.database.read() as connection:
        row = connection.execute(select(signing_leaves)).one()
    assert "PRIVATE KEY" not in repr(row)
    # Fernet's version byte, in base64.
    assert row.private_key.startswith("gAAAA")


def test_the_certificate_lives_as_long_as_the_leaf(auth: AuthService) -> None:
    new_keyring(auth).current()

    with auth.database.read() as connection:
        row = connection.execute(select(signing_leaves)).one()
    certificate = x509.load_pem_x509_certificate(row.certificate.encode())
    assert row.expires_at - row.created_at == auth.services.settings.leaf_ttl
    assert certificate.not_valid_after_utc == row.expires_at.replace(microsecond=0)
    assert certificate.not_valid_before_utc < row.created_at


def test_a_leaf_is_renewed_after_a_day(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    assert keyring.renew()
    assert not keyring.renew()

    auth.clock.advance(hours=24)

    assert keyring.renew()
    assert len(stored(auth)) == 2


def test_a_new_leaf_signs_when_every_process_knows_it(auth: AuthService) -> None:
    signer, verifier = new_keyring(auth), new_keyring(auth)
    old = signer.current()
    verifier.current()
    auth.clock.advance(hours=25)
    verifier.leaves()
    signer.renew()
    (new,) = set(stored(auth)) - {old.kid}

    auth.clock.advance(seconds=61)
    assert signer.current().kid == old.kid
    assert verifier.find(new)

    auth.clock.advance(seconds=SIGNS_AFTER.total_seconds())
    assert signer.current().kid == verifier.current().kid == new


def test_an_old_leaf_still_verifies(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    old = keyring.current()
    auth.clock.advance(hours=25)
    keyring.renew()
    auth.clock.advance(minutes=5)

    assert keyring.current().kid != old.kid
    assert {leaf.kid for leaf in keyring.leaves()} == {old.kid, keyring.current().kid}


def test_a_leaf_outlives_every_token_it_signs(auth: AuthService) -> None:
    """Even where nobody ever renews: an hour is the longest token there is."""
    keyring = new_keyring(auth)
    first = keyring.current()
    auth.clock.advance(days=7, hours=-2, seconds=1)

    # Nobody has served for a week, so this process reads the table as it was.
    second = new_keyring(auth).current()

    assert second.kid != first.kid
    assert second.expires_at - auth.clock() > MARGIN > timedelta(hours=1)


def test_expired_leaves_are_forgotten(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    old = keyring.current()
    auth.clock.advance(days=7, seconds=1)

    assert keyring.find(old.kid) is None
    keyring.renew()

    assert old.kid not in stored(auth)


def test_the_table_is_read_at_most_once_a_minute(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    keyring.current()

    with statements() as early:
        for _ in range(50):
            keyring.current()
            keyring.leaves()
    auth.clock.advance(seconds=60)
    with statements() as late:
        for _ in range(50):
            keyring.current()

    assert (len(early), len(late)) == (0, 1)


def test_an_unknown_leaf_is_searched_at_once(auth: AuthService) -> None:
    signer, verifier = new_keyring(auth), new_keyring(auth)
    verifier.current()
    minted = signer.rotate(COMMAND_LINE, at_once=True).minted

    assert verifier.find(minted)


def test_a_flood_of_unknown_leaves_is_no_flood_of_reads(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    keyring.current()

    with statements() as seen, ThreadPoolExecutor(8) as threads:
        found = list(threads.map(keyring.find, [f"unknown {number}" for number in range(200)]))
    auth.clock.advance(seconds=1)
    with statements() as later:
        keyring.find("unknown")

    assert (set(found), len(seen), len(later)) == ({None}, 1, 1)


def test_those_who_meet_a_new_leaf_together_all_find_it(auth: AuthService) -> None:
    signer, verifier = new_keyring(auth), new_keyring(auth)
    verifier.current()
    minted = signer.rotate(COMMAND_LINE, at_once=True).minted

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(verifier.find, [minted] * 8))

    assert all(found)


def test_a_keyring_signs_on_while_the_database_is_away(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    leaf = keyring.current()
    auth.clock.advance(minutes=10)

    with database_away():
        assert keyring.current() is leaf
        assert keyring.fault() is None


def test_a_keyring_without_a_leaf_and_without_a_database_says_so(auth: AuthService) -> None:
    keyring = new_keyring(auth)

    with database_away():
        fault = keyring.fault()

    assert fault
    assert "OperationalError" in fault


def test_a_leaf_of_the_ca_before_verifies_and_does_not_sign(auth: AuthService, tmp_path: Path) -> None:
    old = new_keyring(auth).current()
    auth.clock.advance(seconds=1)

    keyring = new_keyring(auth, ca_dir=make_ca().write(tmp_path / "other"))

    new = keyring.current()
    assert new.kid != old.kid
    verifying = keyring.find(old.kid)
    assert verifying is not None
    assert not isinstance(verifying, SigningLeaf)
    assert verifying.public_key == old.public_key
    assert [leaf.kid for leaf in keyring.leaves()] == [new.kid, old.kid]


def test_a_leaf_that_was_tampered_with_is_passed_over(auth: AuthService) -> None:
    kid = new_keyring(auth).current().kid
    with auth.database.write() as connection:
        connection.execute(update(signing_leaves).values(private_key="gAAAA"))

    keyring = new_keyring(auth)

    assert keyring.find(kid) is None
    assert keyring.current().kid != kid


def test_a_leaf_never_outlives_its_ca(auth: AuthService, tmp_path: Path) -> None:
    ca = make_ca(days=(-3648, 2)).write(tmp_path / "old")

    keyring = new_keyring(auth, ca_dir=ca)

    assert keyring.current().expires_at == keyring._read_authority().expires_at


def test_a_ca_signs_until_its_last_minute_and_then_no_more(auth: AuthService, tmp_path: Path) -> None:
    ca = make_ca(days=(-1, 1), now=auth.clock())
    keyring = new_keyring(auth, ca_dir=ca.write(tmp_path / "short"))
    leaf = keyring.current()
    auth.clock.advance(hours=23, minutes=58)

    assert keyring.current().kid == leaf.kid
    assert len(stored(auth)) == 1
    auth.clock.advance(minutes=3)

    with pytest.raises(SigningUnavailable):
        keyring.current()
    assert "SigningUnavailable" in (keyring.fault() or "")
    assert keyring.renew() is False


def test_a_ca_near_its_end_does_not_make_leaf_after_leaf(auth: AuthService, tmp_path: Path) -> None:
    ca = make_ca(days=(-1, 1), now=auth.clock())
    keyring = new_keyring(auth, ca_dir=ca.write(tmp_path / "short"))
    for _ in range(23):
        keyring.renew()
        auth.clock.advance(hours=1)

    assert len(stored(auth)) == 1


class TestWithoutAWorker:
    """Whoever serves renews, behind the back of the request that notices, and not as early as a worker."""

    def test_a_leaf_two_days_old_is_replaced(self, auth: AuthService) -> None:
        keyring = new_keyring(auth)
        old = keyring.current()
        auth.clock.advance(hours=47)
        keyring.current()
        assert stored(auth) == [old.kid]

        auth.clock.advance(hours=1)

        assert keyring.current().kid == old.kid
        wait_until(lambda: len(stored(auth)) == 2, what="a leaf is minted")
        auth.clock.advance(minutes=3)
        assert keyring.current().kid != old.kid

    def test_the_request_that_notices_writes_nothing(self, auth: AuthService) -> None:
        keyring = new_keyring(auth)
        keyring.current()
        auth.clock.advance(hours=48)

        with keyring._renewing, statements() as seen:
            keyring.current()

        (statement,) = seen
        assert statement.lstrip().startswith("SELECT")

    def test_several_processes_mint_one(self, auth: AuthService) -> None:
        keyrings = [new_keyring(auth) for _ in range(4)]
        for keyring in keyrings:
            keyring.current()
        auth.clock.advance(hours=48)

        for keyring in keyrings:
            keyring.current()

        wait_until(lambda: len(stored(auth)) == 2, what="a leaf is minted")
        wait_until(lambda: not any(keyring._renewing.locked() for keyring in keyrings), what="all are done")
        assert len(stored(auth)) == 2

    def test_a_database_that_is_away_meanwhile_is_asked_again(self, auth: AuthService) -> None:
        keyring = new_keyring(auth)
        old = keyring.current()
        auth.clock.advance(hours=48)
        with database_away():
            keyring._renewing.acquire()
            keyring._renew_behind()

        auth.clock.advance(minutes=1)
        keyring.current()

        wait_until(lambda: len(stored(auth)) == 2, what="a leaf is minted")
        assert old.kid in stored(auth)

    def test_a_leaf_with_a_life_of_its_own_is_renewed_in_time(self, auth: AuthService) -> None:
        """Four hours, the shortest there is: a worker renews after 34 minutes, others after 68."""
        keyring = new_keyring(auth, leaf_ttl=timedelta(hours=4))
        keyring.current()
        auth.clock.advance(minutes=34)
        assert not keyring.renew()
        auth.clock.advance(minutes=1)
        assert keyring.renew()


class TestAnotherAlgorithm:
    def test_it_rotates_by_itself(self, auth: AuthService) -> None:
        old = new_keyring(auth).current()
        auth.clock.advance(minutes=5)
        keyring = new_keyring(auth, token_algorithm=Algorithm.RS256)
        assert keyring.current().kid == old.kid
        auth.clock.advance(minutes=1)

        keyring.current()

        wait_until(lambda: len(stored(auth)) == 2, what="a leaf is minted")
        auth.clock.advance(minutes=3)
        assert keyring.current().algorithm is Algorithm.RS256
        assert keyring.find(old.kid)

    def test_a_worker_rotates_too(self, auth: AuthService) -> None:
        new_keyring(auth).renew()

        keyring = new_keyring(auth, token_algorithm=Algorithm.RS256)

        assert keyring.renew()
        assert not keyring.renew()

    def test_processes_of_both_kinds_do_not_chase_each_other(self, auth: AuthService) -> None:
        """As in a rolling update."""
        keyrings = [new_keyring(auth, token_algorithm=algorithm) for algorithm in Algorithm]
        for _ in range(5):
            for keyring in keyrings:
                keyring.renew()
            auth.clock.advance(minutes=2)

        assert len(stored(auth)) == 2
        assert [keyring.current().algorithm for keyring in keyrings] == list(Algorithm)


class TestARenewedCa:
    def test_a_certificate_of_the_same_key_is_picked_up(self, auth: AuthService, tmp_path: Path) -> None:
        ca = make_ca("ca")
        keyring = new_keyring(auth, ca_dir=ca.write(tmp_path / "own"))
        old = keyring.current()
        auth.clock.advance(minutes=1)
        root = make_ca("root")
        make_ca("ca", key=ca.key, under=root, days=(-1, 700)).write(tmp_path / "own")

        assert keyring.renew()
        auth.clock.advance(minutes=3)

        new = keyring.current()
        assert (len(old.x5c), len(new.x5c)) == (1, 2)
        assert isinstance(keyring.find(old.kid), SigningLeaf)

    def test_another_key_signs_with_new_leaves_and_the_old_verify(self, auth: AuthService, tmp_path: Path) -> None:
        keyring = new_keyring(auth, ca_dir=make_ca().write(tmp_path / "own"))
        old = keyring.current()
        make_ca().write(tmp_path / "own")
        assert keyring.current().kid == old.kid

        auth.clock.advance(minutes=1)

        assert keyring.current().kid != old.kid
        found = keyring.find(old.kid)
        assert found is not None
        assert not isinstance(found, SigningLeaf)

    def test_processes_that_see_it_at_different_times_do_not_chase_each_other(
        self, auth: AuthService, tmp_path: Path
    ) -> None:
        """A mounted Secret changes on one node a minute before it does on the other."""
        ca, root = make_ca("ca"), make_ca("root")
        before = new_keyring(auth, ca_dir=ca.write(tmp_path / "before"))
        after = new_keyring(auth, ca_dir=make_ca("ca", key=ca.key, under=root).write(tmp_path / "after"))
        for _ in range(5):
            for keyring in (before, after):
                keyring.renew()
                keyring.current()
            auth.clock.advance(minutes=1)

        assert len(stored(auth)) == 2
        assert before.current().kid == after.current().kid
