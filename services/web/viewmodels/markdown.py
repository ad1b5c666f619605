"""What people write in Markdown, as HTML that does no harm."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
"""No pictures: they would be asked of other hosts, and our policy refuses them anyway."""

_ATTRIBUTES = {"a": {"href", "title"}}

_LEVELS_DOWN = 2
"""The page has its own first two levels of headings."""


def render_markdown(text: str) -> Markup:
    """Return HTML of a few harmless elements; scripts, pictures and raw HTML are left out."""
    return Markup(_render(text))  # noqa: S704 - nh3 has let through what is named above, and nothing else


@lru_cache(maxsize=512)
def _render(text: str) -> str:
    markdown = MarkdownIt("js-default", {"html": False, "linkify": False})
    tokens = markdown.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + _LEVELS_DOWN)}"
    html = markdown.renderer.render(tokens, markdown.options, {})
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
