"""A page speaks the language that the reader's browser asks for, or the one that was chosen here."""

import pytest

from tests.api.web.conftest import Browser


@pytest.mark.parametrize(
    ("accepted", "language", "title"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "Entdecken"),
        ("fr,de;q=0.8", "de", "Entdecken"),
        ("en-GB", "en", "Explore"),
        ("fr", "en", "Explore"),
        ("", "en", "Explore"),
    ],
)
def test_the_browser_chooses(browser: Browser, accepted: str, language: str, title: str) -> None:
    page = browser.get("/explore", headers={"Accept-Language": accepted}).text

    assert f'<html lang="{language}"' in page
    assert f"<h1>{title}</h1>" in page


def test_a_choice_here_is_remembered_and_wins(browser: Browser) -> None:
    assert browser.send("/explore", "/look", language="de", next="/explore").location == "/explore"

    assert '<html lang="de"' in browser.get("/explore", headers={"Accept-Language": "en"}).text


def test_a_language_that_nobody_speaks_here_is_refused(browser: Browser) -> None:
    assert browser.send("/explore", "/look", language="tlh").status_code == 400


def test_faults_of_a_form_and_errors_are_told_in_german(browser: Browser) -> None:
    browser.send("/explore", "/look", language="de")

    assert "Geben Sie Ihren Namen ein." in browser.send("/sign-in", "/sign-in", username="", password="x").text
    assert "Hier ist nichts, was Sie sehen dürfen" in browser.get("/r/no/such").text
