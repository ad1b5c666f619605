"""Namespaces and teams in words."""

from flask_babel import gettext, lazy_gettext, ngettext

from services.web.clients.places import Images
from services.web.viewmodels.sizes import present_size

VISIBILITIES = {
    "private": lazy_gettext("private: its team only"),
    "protected": lazy_gettext("protected: everybody who has signed in may pull"),
    "public": lazy_gettext("public: everybody may pull"),
}
"""How open a namespace is, and what that means."""

ROLES = {
    "viewer": lazy_gettext("viewer: pulls"),
    "contributor": lazy_gettext("contributor: pulls and pushes"),
    "owner": lazy_gettext("owner: pulls, pushes and manages"),
}
"""What somebody may do in a team, and what that means."""

ROLE_NAMES = {
    "viewer": lazy_gettext("viewer"),
    "contributor": lazy_gettext("contributor"),
    "owner": lazy_gettext("owner"),
}


def present_images(images: Images | None) -> str:
    """Say how much lies somewhere."""
    if images is None:
        return gettext("images: how many is not known now, the catalogue is away")
    repositories = ngettext("%(num)d repository", "%(num)d repositories", images.repositories)
    tags = ngettext("%(num)d tag", "%(num)d tags", images.tags)
    return gettext(
        "%(repositories)s with %(tags)s, %(size)s",
        repositories=repositories,
        tags=tags,
        size=present_size(images.size_bytes),
    )
