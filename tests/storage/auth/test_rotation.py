"""Rotation by hand: a new leaf, now or in two minutes, and leaves that must not be used again."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from services.auth.domain.actors import COMMAND_LINE
from services.auth.signing.leaves import SIGNS_AFTER
from services.auth.signing.minting import RotationRefused
from services.auth.storage.leaves import MAX_LEAVES
from services.auth.storage.tables import audit_entries, signing_leaves
from tests.support.auth import AuthService
from tests.support.authorities import new_keyring


def test_a_leaf_is_minted_whatever_there_is(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    old = keyring.current()
    auth.clock.advance(minutes=5)

    rotation = keyring.rotate(COMMAND_LINE)

    assert rotation.signs_at == auth.clock() + SIGNS_AFTER
    auth.clock.advance(minutes=1)
    assert keyring.current().kid == old.kid
    auth.clock.advance(minutes=1)
    assert keyring.current().kid == rotation.minted
    assert keyring.find(old.kid)


def test_in_a_hurry_it_signs_as_soon_as_a_process_has_read_it(auth: AuthService) -> None:
    keyring, peer = new_keyring(auth), new_keyring(auth)
    old = peer.current()
    auth.clock.advance(minutes=5)
    peer.current()

    rotation = keyring.rotate(COMMAND_LINE, at_once=True)

    assert rotation.signs_at == auth.clock()
    assert keyring.current().kid == rotation.minted
    assert peer.current().kid == old.kid
    auth.clock.advance(minutes=1)
    assert peer.current().kid == rotation.minted


def test_a_revoked_leaf_neither_signs_nor_verifies_nor_is_published(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    old = keyring.current()
    auth.clock.advance(minutes=5)

    rotation = keyring.rotate(COMMAND_LINE, revoke=[old.kid])

    assert [leaf.kid for leaf in rotation.revoked] == [old.kid]
    auth.clock.advance(minutes=1)
    assert keyring.current().kid == rotation.minted
    assert keyring.find(old.kid) is None
    assert [leaf.kid for leaf in keyring.leaves()] == [rotation.minted]


def test_the_others_stay_when_one_is_revoked(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    kids = [keyring.rotate(COMMAND_LINE).minted for _ in range(3)]

    rotation = keyring.rotate(COMMAND_LINE, revoke=[kids[1]])

    assert {leaf.kid for leaf in new_keyring(auth).leaves()} == {kids[0], kids[2], rotation.minted}


def test_all_can_be_revoked(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    kids = {keyring.rotate(COMMAND_LINE).minted for _ in range(3)}

    rotation = keyring.rotate(COMMAND_LINE, revoke=["all"])

    assert {leaf.kid for leaf in rotation.revoked} == kids
    assert [leaf.kid for leaf in new_keyring(auth).leaves()] == [rotation.minted]


def test_a_revoked_leaf_is_kept_until_it_expires(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    old = keyring.current()
    keyring.rotate(COMMAND_LINE, revoke=["all"])
    with auth.database.read() as connection:
        row = connection.execute(select(signing_leaves).where(signing_leaves.c.kid == old.kid)).one()
    assert row.revoked_at == auth.clock()

    auth.clock.advance(days=8)
    keyring.renew()

    with auth.database.read() as connection:
        assert connection.execute(select(signing_leaves).where(signing_leaves.c.kid == old.kid)).all() == []


def test_the_audit_trail_says_who_rotated_and_what_was_revoked(auth: AuthService) -> None:
    """Of what is done by hand; what happens by itself every day is in the log."""
    keyring = new_keyring(auth)
    old = keyring.current()
    minted = keyring.rotate(COMMAND_LINE, revoke=[old.kid]).minted

    with auth.database.read() as connection:
        entries = connection.execute(select(audit_entries).order_by(audit_entries.c.id)).all()

    assert [(entry.actor_kind, entry.action, entry.target_id) for entry in entries] == [
        ("operator", "key.revoked", old.kid),
        ("operator", "key.rotated", minted),
    ]


def test_one_that_does_not_live_cannot_be_revoked(auth: AuthService) -> None:
    keyring = new_keyring(auth)
    kid = keyring.current().kid

    with pytest.raises(RotationRefused, match=f"no leaf AAAA lives; these do:\n  {kid}"):
        keyring.rotate(COMMAND_LINE, revoke=["AAAA", kid])

    assert [leaf.kid for leaf in new_keyring(auth).leaves()] == [kid]


def test_no_more_leaves_live_than_are_read(auth: AuthService) -> None:
    """A leaf beyond them would sign tokens that nobody can verify."""
    keyring = new_keyring(auth)
    keyring.current()
    with auth.database.write() as connection:
        (row,) = connection.execute(select(signing_leaves)).mappings().all()
        copies = [{**row, "kid": str(number)} for number in range(1, MAX_LEAVES)]
        connection.execute(insert(signing_leaves), copies)

    with pytest.raises(RotationRefused, match=f"{MAX_LEAVES} leaves live"):
        keyring.rotate(COMMAND_LINE)

    assert len(keyring.rotate(COMMAND_LINE, revoke=["1"]).revoked) == 1
    assert len(keyring.rotate(COMMAND_LINE, revoke=["all"]).revoked) == MAX_LEAVES


def test_a_process_of_the_version_before_inserts_as_it_always_did(auth: AuthService) -> None:
    """It runs on while the new columns are there already."""
    keyring = new_keyring(auth)
    keyring.current()
    with auth.database.write() as connection:
        (row,) = connection.execute(select(signing_leaves)).mappings().all()
        known = {name: value for name, value in row.items() if name not in ("at_once", "revoked_at")}
        connection.execute(signing_leaves.delete())
        connection.execute(insert(signing_leaves).values(known))

    (leaf,) = new_keyring(auth).leaves()

    assert leaf.signs_at - leaf.created_at == timedelta(minutes=2)
