"""What there is not, or what the caller may not see: the same answer, so that nobody learns which."""


class NotFound(Exception):
    """There is no such thing, as far as the caller may know."""


class RepositoryNotFound(NotFound):
    """There is no such repository, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such repository, or you may not see it.")


class NamespaceNotFound(NotFound):
    """There is no such namespace in the registry, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such namespace, or you may not see it.")


class TagNotFound(NotFound):
    """There is no such tag, or the caller may not see it."""

    def __init__(self) -> None:
        super().__init__("There is no such tag, or you may not see it.")


class CommentNotFound(NotFound):
    """There is no such comment on the repository."""

    def __init__(self) -> None:
        super().__init__("There is no such comment.")


class ManifestNotFound(NotFound):
    """There is no such manifest in the repository."""

    def __init__(self) -> None:
        super().__init__("There is no such manifest in this repository.")


class ManifestUnknown(Exception):
    """The manifest is there, and its bytes have not come from the registry yet."""

    def __init__(self) -> None:
        super().__init__("This manifest has not been read from the registry yet. Try again in a moment.")
