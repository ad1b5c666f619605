# What the portal uses of Flask-Babel 4, which has no types of its own.
from collections.abc import Callable
from typing import Any

from babel import Locale
from babel.support import NullTranslations
from flask import Flask

class Domain:
    def get_translations(self) -> NullTranslations: ...

class Babel:
    domain_instance: Domain
    def __init__(self, app: Flask, *, locale_selector: Callable[[], str]) -> None: ...

def get_locale() -> Locale | None: ...
def gettext(string: str, **variables: Any) -> str: ...
def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str: ...

# It becomes a string when it is shown: by then the reader's language is known.
def lazy_gettext(string: str, **variables: Any) -> str: ...
