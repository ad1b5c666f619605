"""What is hidden in the commands of layers, and which texts can be followed."""

import pytest

from services.web.viewmodels.manifests import MASK, mask_command, present_value


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("RUN make", "RUN make"),
        ("ENV PATH=/bin", "ENV PATH=/bin"),
        ("ENV DB_PASSWORD=hunter2 X=1", f"ENV DB_PASSWORD={MASK} X=1"),
        ('ENV api-token="two words" X=1', f"ENV api-token={MASK} X=1"),
        ("|1 NPM_TOKEN=abc /bin/sh -c npm ci", f"|1 NPM_TOKEN={MASK} /bin/sh -c npm ci"),
        ("RUN curl -u me:known", f"RUN curl -u me:{MASK}"),
        # Long texts without a value are gone through once, not once a character.
        ("token" * 20_000, "token" * 20_000),
    ],
)
def test_commands_lose_what_is_given_to_a_secret_name(command: str, expected: str) -> None:
    assert mask_command(command, ["known"]) == expected


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        ("https://example.test", True),
        ("http://example.test:8080/a?b=c#d", True),
        ("see https://example.test", False),
        ("JAVASCRIPT:alert(1)", False),
        ("https://example.test@evil.test/", False),
        ("//example.test", False),
        ("https://example.test/\n", False),
    ],
)
def test_only_plain_addresses_of_the_web_can_be_followed(text: str, is_link: bool) -> None:
    assert (present_value(text).link is not None) is is_link
