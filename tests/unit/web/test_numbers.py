"""Numbers are written as the reader's language writes them."""

import pytest
from flask import Flask
from flask_babel import Babel

from services.web.viewmodels.numbers import present_count, present_decimal
from services.web.viewmodels.sizes import present_size


@pytest.mark.parametrize(
    ("language", "count", "share", "size"),
    [("en", "12,345", "40.0", "9.2 KiB"), ("de", "12.345", "40,0", "9,2 KiB")],
)
def test_numbers_follow_the_language(language: str, count: str, share: str, size: str) -> None:
    app = Flask(__name__)
    Babel(app, locale_selector=lambda: language)
    with app.test_request_context():
        assert present_count(12_345) == count
        assert present_decimal(40) == share
        assert present_size(9_420) == size
