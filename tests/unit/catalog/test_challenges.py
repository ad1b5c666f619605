import pytest

from services.catalog.clients.challenges import Challenge, parse_challenge


@pytest.mark.parametrize(
    ("header", "challenge"),
    [
        pytest.param(
            'Bearer realm="http://localhost:8081/v2/token",service="portus-registry",'
            'scope="repository:team/app:pull,push",error="invalid_token"',
            Challenge("bearer", "http://localhost:8081/v2/token", "portus-registry", "invalid_token"),
            id="as 2.8 sends it, with a comma in the scope",
        ),
        pytest.param('bearer Realm="a", Service="b"', Challenge("bearer", "a", "b"), id="other case and blanks"),
        pytest.param('Basic realm="basic-realm"', Challenge("basic", "basic-realm"), id="Basic"),
        pytest.param("", Challenge(""), id="nothing"),
        pytest.param("Bearer nonsense", Challenge("bearer"), id="no parameters"),
    ],
)
def test_a_challenge_is_read(header: str, challenge: Challenge) -> None:
    assert parse_challenge(header) == challenge
