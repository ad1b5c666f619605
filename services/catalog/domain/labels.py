"""Labels and annotations as they can be searched."""

from collections.abc import Iterator, Mapping

from services.catalog.domain.lenient import MAX_TEXT_LENGTH, find_text

MAX_LABELS = 200
"""So many of one manifest can be found; all of them are shown."""

Labels = frozenset[tuple[str, str]]
"""Keys with their values; a label and an annotation of the same name may say different things."""

NO_LABELS: Labels = frozenset()


def list_searchable(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield keys and values as they are kept: values cut, in one line, without what no database takes."""
    named = [(key, value) for key, value in texts.items() if find_text(key)]
    for key, value in named[:MAX_LABELS]:
        yield key, "".join(filter(str.isprintable, value))[:MAX_TEXT_LENGTH]
