"""Secrets of machines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.auth.domain.secrets import ENTROPY_BYTES, SECRET_LENGTH, SecretKind, kind_of, new_secret, secret_hash

_ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(st.sampled_from(SecretKind), _ENTROPY)
def test_a_secret_is_recognised(kind: SecretKind, entropy: bytes) -> None:
    secret = new_secret(kind, entropy)

    assert kind_of(secret) is kind
    assert len(secret) <= SECRET_LENGTH
    assert secret.replace("_", "").isalnum()


@given(_ENTROPY, st.integers(0, 58), st.sampled_from("0aZ_ä\0"))
def test_a_typing_error_makes_it_none(entropy: bytes, place: int, letter: str) -> None:
    secret = new_secret(SecretKind.APPLICATION_TOKEN, entropy)
    wrong = secret[:place] + letter + secret[place + 1 :]

    assert wrong == secret or kind_of(wrong) is None


@given(_ENTROPY, _ENTROPY)
def test_no_two_are_alike(one: bytes, other: bytes) -> None:
    secrets = {new_secret(SecretKind.ROBOT, entropy) for entropy in (one, other)}

    assert len(secrets) == len({one, other}) == len(set(map(secret_hash, secrets)))


@pytest.mark.parametrize("text", ["", "portus_at_", "password", "\ud800", "portus_at_" + "0" * 49, "x" * 10_000])
def test_what_is_no_secret(text: str) -> None:
    assert kind_of(text) is None
