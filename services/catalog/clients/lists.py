"""Lists of a registry, page by page, to their very end.

Source: distribution-spec "Listing Tags"; RFC 8288. 2.8 sends all tags of a repository at once, whatever is asked.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import requests

from services.catalog.clients.answers import Answer, read_answer
from services.catalog.usecases.registry import InvalidAnswer

PAGE_SIZE = 1000
"""What a registry allows by default; one that allows less answers 400 and is asked for its own size."""

MAX_PAGES = 10_000
MAX_PAGE_BYTES = 32 * 1024 * 1024
"""2.8 sends all tags of a repository at once."""

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r';\s*rel\s*=\s*"?[^";,]*(?<![\w-])next(?![\w-])', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of a list."""

    answer: Answer
    names: Sequence[str]
    """In the registry's own order."""


def walk_list(
    open_page: Callable[[str], requests.Response], path: str, member: str, *, after: str = ""
) -> Iterator[ListPage]:
    """Yield the pages of a list.

    Args:
        open_page: sends a GET.
        member: of the answer, that has the names.
        after: the list begins behind this name.

    Raises:
        InvalidAnswer: it is no list, or does not come to its end. What was yielded until then is in the list, and
            nothing is known of the rest.
    """
    size, last, is_doubtful = f"n={PAGE_SIZE}", after, False
    url, asked, named = _behind(path, last, size), set[str](), set[str]()
    for _ in range(MAX_PAGES):
        response = open_page(url)
        if response.status_code == 400 and not asked and size:
            # PAGINATION_NUMBER_INVALID: this registry's pages are smaller.
            response.close()
            size = ""
            url = _behind(path, last, size)
            continue
        asked.add(url)
        answer = read_answer(response, f"list {path}", max_bytes=MAX_PAGE_BYTES)
        names = _names(answer, member)
        if is_doubtful and named.issuperset(names):
            raise InvalidAnswer(f"the registry's list {path} has more than it gives: its Link leads nowhere")
        yield ListPage(answer, names)
        named.update(names)
        last = names[-1] if names else last
        link = _next_link(answer.headers.get("Link", ""))
        if link is None:
            return
        following = _followed(link, path)
        # A next page that is announced is there, also where a proxy has spoiled the way to it.
        is_doubtful = following is None or following in asked
        url = _behind(path, last, size) if following is None or is_doubtful else following
    raise InvalidAnswer(f"the registry's list {path} does not end")


def _behind(path: str, name: str, size: str) -> str:
    query = "&".join(part for part in (f"last={quote(name, safe='')}" if name else "", size) if part)
    return f"{path}?{query}" if query else path


def _next_link(header: str) -> str | None:
    """Return where the next page is said to be, which may be nowhere; ``None``: none is announced."""
    for target, parameters in _LINK.findall(header):
        if _NEXT.search(parameters):
            return str(target)
    # One that is cut off announces a page all the same.
    return "" if _NEXT.search(header) else None


def _followed(link: str, path: str) -> str | None:
    # Only the query counts: behind a proxy the address may be one that we cannot reach.
    query = link.partition("?")[2]
    return f"{path}?{query}" if query else None


def _names(page: Answer, member: str) -> list[str]:
    # An emptied repository answers "tags": null.
    names = page.json().get(member) or []
    if not isinstance(names, list):
        raise InvalidAnswer(f"the registry's {member} are not a list")
    return [name for name in names if isinstance(name, str)]
