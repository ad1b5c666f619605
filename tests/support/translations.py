"""What of the portal is to be translated: ``python -m tests.support.translations`` brings every translation up to date.

New messages are added without words, and those that nobody shows any more go.
"""

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from services.web.pages.languages import FOLDER, LANGUAGES

PORTAL = Path(__file__).parents[2] / "services" / "web"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}}
KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "mark": None, "ngettext": (1, 2)}


def extract() -> Catalog:
    """Return every message that the portal shows."""
    catalog = Catalog(charset="utf-8")
    for name, _line, message, comments, context in extract_from_dir(
        PORTAL, method_map=METHODS, options_map=OPTIONS, keywords=KEYWORDS
    ):
        # No line numbers: they change with every edit and say nothing to a translator.
        catalog.add(message, None, [(f"services/web/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def load(language: str) -> Catalog:
    """Return the translations into a language as they are kept."""
    with (FOLDER / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def bring_up_to_date(language: str) -> int:
    """Write a language's file anew, and return how many messages are without words."""
    path = FOLDER / f"{language}.po"
    known = load(language) if path.exists() else Catalog(locale=language, charset="utf-8")
    known.update(extract(), no_fuzzy_matching=True)
    known.obsolete.clear()
    with path.open("wb") as file:
        # A header of dates and names would change with every edit; what it says follows from the file's name.
        write_po(file, known, sort_output=True, width=120, omit_header=True, include_lineno=False)
    return sum(not all(_words(message.string)) for message in known if message.id)


def _words(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, (tuple, list)) else (str(text or ""),)


if __name__ == "__main__":
    for each in list(LANGUAGES)[1:]:
        sys.stdout.write(f"{each}: {bring_up_to_date(each)} without words\n")
