"""Which language a page speaks, and where its words come from.

Translations are read from ``translations/<language>.po`` when the process starts: what a translator edits is what is
shown, and nothing has to be compiled before.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, request
from flask_babel import Babel, Domain

from services.web.pages.cookies import LANGUAGE, Cookies

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""By code, each in its own words. The code of the pages is written in the first."""

FOLDER = Path(__file__).parents[1] / "translations"


class _PoDomain(Domain):
    """Translations that were read at the start."""

    def __init__(self) -> None:
        super().__init__()
        self._loaded = {language: load_translations(language) for language in LANGUAGES}

    def get_translations(self) -> Translations:
        return self._loaded[g.get("language") or next(iter(LANGUAGES))]


def register_languages(app: Flask, cookies: Cookies) -> None:
    """Let the pages of an application speak the reader's language."""

    def select() -> str:
        if "language" not in g:
            g.language = chosen_language(cookies)
        language: str = g.language
        return language

    babel = Babel(app, locale_selector=select)
    babel.domain_instance = _PoDomain()
    app.before_request(lambda: select() and None)


def chosen_language(cookies: Cookies) -> str:
    """Return the language that the reader chose here; without a choice, the one that the browser likes best."""
    chosen = cookies.find(LANGUAGE)
    if chosen in LANGUAGES:
        return chosen
    return request.accept_languages.best_match(LANGUAGES) or next(iter(LANGUAGES))


def load_translations(language: str) -> Translations:
    """Read the translations into a language; the pages' own has none."""
    path, compiled = FOLDER / f"{language}.po", BytesIO()
    if not path.exists():
        return Translations()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)
