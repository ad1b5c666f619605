"""Tables whose cells are words, moments and links: what most lists of the administration are."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.web.viewmodels.times import TimeText


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; ``kind`` is how its cells are set: ``number``, ``moment``, ``phrase`` or nothing."""

    title: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell: a text that may lead somewhere, or a moment; and a dim note below it."""

    text: str = ""
    link: str | None = None
    moment: TimeText | None = None
    note: str = ""
    badge: str | None = None
    """Which kind of badge the text is in; ``None``: in none."""
    code: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """A button at the end of a row: a form of its own."""

    text: str
    address: str
    about: str
    """What it is about, for those who hear the button without its row."""
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row; its first cell is its title on narrow screens."""

    cells: Sequence[Cell]
    actions: Sequence[Action] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or what is said when it is empty."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: str
    hint: str = ""
    more: str = ""
    """What is said below a table that does not show all there is."""
