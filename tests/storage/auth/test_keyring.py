"""Leaves: one for all processes, renewed daily, outliving every token they sign."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from sqlalchemy import select

from services.auth.signing.authority import create_authority, load_authority
from services.auth.signing.keyring import MARGIN, SIGNS_AFTER, Keyring
from services.auth.signing.leaves import LIFETIME, libtrust_fingerprint
from services.auth.storage.tables import signing_leaves
from tests.support.auth import AuthFactory, AuthService, TestClock
from tests.support.statements import database_away, statements


def new_keyring(auth: AuthService) -> Keyring:
    """Return the keyring of another process."""
    authority = load_authority(auth.services.settings.ca_dir)
    return Keyring(authority, database=auth.database, clock=auth.clock)


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
    assert row.expires_at - row.created_at == LIFETIME
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
    """Even where no worker ever renews: an hour is the longest token there is."""
    keyring = new_keyring(auth)
    for _ in range(24 * 9):
        auth.clock.advance(hours=1)
        assert keyring.current().expires_at - auth.clock() > MARGIN > timedelta(hours=1)

    assert len(stored(auth)) == 2


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
            keyring.find("unknown")
    auth.clock.advance(seconds=60)
    with statements() as late:
        for _ in range(50):
            keyring.current()

    assert (len(early), len(late)) == (0, 1)


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


def test_leaves_of_another_ca_are_passed_over(auth: AuthService, tmp_path: Path) -> None:
    old = new_keyring(auth).current()
    create_authority(tmp_path / "other", now=datetime.now(UTC))
    keyring = Keyring(load_authority(tmp_path / "other"), database=auth.database, clock=auth.clock)

    assert keyring.current().kid != old.kid
    assert [leaf.kid for leaf in keyring.leaves()] == [keyring.current().kid]


def test_a_leaf_never_outlives_its_ca(make_auth: AuthFactory, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    create_authority(tmp_path / "old", now=now - timedelta(days=3648))
    authority = load_authority(tmp_path / "old")
    keyring = Keyring(authority, database=make_auth().database, clock=TestClock(now))

    assert keyring.current().expires_at == authority.certificate.not_valid_after_utc
