"""Charts, drawn on the server: where each bar stands, and what a screen reader says instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext

from services.web.clients.statistics import Day, Stock
from services.web.viewmodels.numbers import present_count
from services.web.viewmodels.sizes import present_size

WIDTH = 600
HEIGHT = 120
STOCK_WIDTH = 300
BAR_HEIGHT = 20
NAMESPACES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar in the coordinates of its chart."""

    x: float
    y: float
    width: float
    height: float
    hue: int
    """1 or 2: which of the two colours."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with what it says and the figures behind it."""

    title: str
    description: str
    width: int
    height: int
    bars: Sequence[Bar]
    heads: Sequence[str]
    figures: Sequence[Sequence[str]]
    labels: Sequence[tuple[float, float, str]] = ()
    """Texts beside the bars: x, y, and what stands there."""


def draw_days(days: Sequence[Day]) -> Chart:
    """Draw pushes and pulls of each day, side by side."""
    most = max((max(day.pushes, day.pulls) for day in days), default=0) or 1
    slot = WIDTH / max(1, len(days))
    bars = []
    for at, day in enumerate(days):
        for hue, count in ((1, day.pulls), (2, day.pushes)):
            height = round(HEIGHT * count / most, 1)
            x = round(at * slot + (hue - 1) * slot * 0.4 + slot * 0.1, 1)
            bars.append(Bar(x, round(HEIGHT - height, 1), round(slot * 0.36, 1), height, hue))
    pulls, pushes = sum(day.pulls for day in days), sum(day.pushes for day in days)
    return Chart(
        title=gettext("Pulls and pushes by day"),
        description=gettext(
            "%(pulls)s pulls and %(pushes)s pushes in %(days)s days.", pulls=pulls, pushes=pushes, days=len(days)
        ),
        width=WIDTH,
        height=HEIGHT,
        bars=bars,
        heads=(gettext("Day"), gettext("Pulls"), gettext("Pushes")),
        figures=[(day.day.isoformat(), present_count(day.pulls), present_count(day.pushes)) for day in reversed(days)],
    )


def draw_stock(stock: Sequence[Stock]) -> Chart:
    """Draw how much lies in the largest namespaces, one bar each."""
    largest = sorted(stock, key=lambda one: one.size_bytes, reverse=True)[:NAMESPACES_SHOWN]
    most = max((one.size_bytes for one in largest), default=0) or 1
    bars, labels = [], []
    for at, one in enumerate(largest):
        y = at * BAR_HEIGHT * 2
        bars.append(Bar(0, y + BAR_HEIGHT, round(STOCK_WIDTH * one.size_bytes / most, 1), 8, 1))
        labels.append((0.0, float(y + BAR_HEIGHT - 4), f"{_name(one)} · {present_size(one.size_bytes)}"))
    return Chart(
        title=gettext("Storage by namespace"),
        description=gettext("The largest namespace holds %(size)s.", size=present_size(most if largest else 0)),
        width=STOCK_WIDTH,
        height=max(1, len(largest)) * BAR_HEIGHT * 2,
        bars=bars,
        heads=(gettext("Namespace"), gettext("Repositories"), gettext("Size")),
        figures=[(_name(one), present_count(one.repositories), present_size(one.size_bytes) or "") for one in largest],
        labels=labels,
    )


def _name(stock: Stock) -> str:
    return stock.namespace or gettext("the global namespace")
