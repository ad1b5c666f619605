"""Numbers as the reader's language writes them."""

from babel.numbers import get_decimal_symbol, get_group_symbol
from flask_babel import get_locale


def present_count(count: int) -> str:
    """Return ``12,345``, or ``12.345`` where that is how it is written."""
    return f"{count:,}".replace(",", get_group_symbol(get_locale() or "en"))


def present_decimal(number: float) -> str:
    """Return a number with one decimal: ``12.3`` or ``12,3``."""
    return f"{number:.1f}".replace(".", get_decimal_symbol(get_locale() or "en"))
