"""Sizes in binary units with one decimal."""

from collections.abc import Sequence

from services.web.viewmodels.numbers import present_decimal

_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB")


def present_size(size_bytes: int | None) -> str | None:
    """Return ``12.3 MiB``; whole bytes below one KiB; ``None`` when the size is not known."""
    if size_bytes is None:
        return None
    if size_bytes < 1024:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in _UNITS:
        size /= 1024
        # 1023.95 would be printed as 1024.0, which belongs to the next unit.
        if size < 1023.95:
            return f"{present_decimal(size)} {unit}"
    return f"{present_decimal(size)} {_UNITS[-1]}"


def present_shares(sizes_bytes: Sequence[int | None]) -> list[int]:
    """Return each size as a share of the largest, in percent, for the bars of a column.

    A size that is there at all gets at least 1, so that its bar can be seen.
    """
    largest = max((size for size in sizes_bytes if size), default=0)
    return [max(1, round(100 * size / largest)) if size and largest else 0 for size in sizes_bytes]
