from base64 import b64encode

import pytest

from services.notifier.api.credentials import shown_secret


def basic(pair: str) -> str:
    return f"Basic {b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "secret"),
    [
        pytest.param("Bearer s3cret", "s3cret", id="bearer"),
        pytest.param("bearer  s3cret ", "s3cret", id="any case and spaces"),
        pytest.param("Bearer a=b/c+d==", "a=b/c+d==", id="signs of base64"),
        pytest.param("Bearer Ã©", "é", id="UTF-8, as WSGI hands it over"),
        pytest.param(basic("registry:s3cret"), "s3cret", id="the password of Basic"),
        pytest.param(basic(":s3:cret"), "s3:cret", id="a colon in the password"),
        pytest.param("Basic !!!", "", id="broken Basic"),
        pytest.param("s3cret", "", id="no scheme"),
        pytest.param("Digest s3cret", "", id="another scheme"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_secret_is_found_in_the_header(header: str, secret: str) -> None:
    assert shown_secret(header) == secret
