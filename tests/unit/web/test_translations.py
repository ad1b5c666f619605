"""Everything that the portal says is marked for translation, and every language says it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from services.web.pages.languages import LANGUAGES
from tests.support.translations import PORTAL, extract, load

TEMPLATES = sorted((PORTAL / "templates").glob("*.html"))
MODULES = sorted([*(PORTAL / "pages").glob("*.py"), *(PORTAL / "viewmodels").glob("*.py")])
TRANSLATED = list(LANGUAGES)[1:]

NAMES = {"Portus", "docker", "team/app"}
"""Said alike in every language."""

_JINJA = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}", re.DOTALL)
_TRANS = re.compile(r"{%-?\s*trans\b.*?{%-?\s*endtrans\s*-?%}", re.DOTALL)
_CODE = re.compile(r"<code[^>]*>[^<]*</code>|<kbd[^>]*>[^<]*</kbd>")
_ATTRIBUTE = re.compile(r'\s(?:title|aria-label|placeholder|alt|data-label|data-said)="([^"]*)"')
_TAG = re.compile(r"<[^<>]*>")
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|</?\w+>")
_MARKERS = {"_", "gettext", "ngettext", "lazy_gettext", "mark"}
_SENTENCE = re.compile(r"[A-Z][a-z]+ [a-z]+.*|[A-Z][a-z]+[.!?]")


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_language_says_all_that_is_said_and_no_more(language: str) -> None:
    said, translated = {_id(one) for one in extract() if one.id}, load(language)

    assert {_id(one) for one in translated if one.id} == said, "run: python -m tests.support.translations"
    assert [one.id for one in translated if one.id and not _words(one)] == []
    assert [one.id for one in translated if one.fuzzy and one.id] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_the_same_places_and_the_same_markup(language: str) -> None:
    for message in load(language):
        if message.id:
            ids, strings = _id(message), _words(message)
            assert {*_PLACEHOLDER.findall(ids[-1])} == {*_PLACEHOLDER.findall(strings[-1])}, message.id


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_that_is_not_marked(path: Path) -> None:
    assert list(_unmarked_text(path.read_text())) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_has_no_sentence_that_is_not_marked(path: Path) -> None:
    assert list(_unmarked_sentences(ast.parse(path.read_text()))) == []


def test_the_check_finds_what_is_not_marked() -> None:
    assert list(_unmarked_text('<p title="A hint">{{ _("Marked") }} not marked</p>')) == ["A hint", "not marked"]
    assert list(_unmarked_sentences(ast.parse('flash("Not marked at all."); flash(gettext("Marked at least."))'))) == [
        "Not marked at all."
    ]


def _unmarked_text(template: str) -> Iterator[str]:
    text = _CODE.sub(" ", _JINJA.sub("", _TRANS.sub("", template)))
    said = [*_ATTRIBUTE.findall(text), *_TAG.split(text)]
    for piece in (one.strip(" \n·:;,.()–→“”") for one in said):
        if re.search(r"[A-Za-z]{2}", piece) and piece not in NAMES and not piece.startswith("&"):
            yield piece


def _unmarked_sentences(tree: ast.Module) -> Iterator[str]:
    marked = {id(part) for node in ast.walk(tree) if _is_marker(node) or _is_silent(node) for part in ast.walk(node)}
    texts = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in marked)
    yield from (text.value for text in texts if isinstance(text.value, str) and _SENTENCE.fullmatch(text.value))


def _is_marker(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKERS


def _is_silent(node: ast.AST) -> bool:
    # What stands alone is a docstring; what is raised is for the log.
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _id(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _words(message: Message) -> tuple[str, ...]:
    strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return strings if strings and all(strings) else ()
