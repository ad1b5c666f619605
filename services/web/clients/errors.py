"""How a call to a peer can fail.

PeerError             the peer did not bring what was asked for
├── PeerAway          no answer in time, or "not now"
├── PeerBroken        an answer nobody here understands
├── SignInNeeded      the visitor has no valid credential
├── NotAllowed        the visitor may not do this
├── NotFound          it is not there, or the visitor may not see it
└── RequestRefused    the peer finds the request itself wrong
"""

from collections.abc import Mapping, Sequence


class PeerError(Exception):
    """A peer did not bring what was asked for.

    Args:
        part: which service, as people know it: ``auth`` or ``catalog``.
        detail: one sentence of the peer's, fit for a person's eyes.
    """

    def __init__(self, part: str, detail: str = "") -> None:
        super().__init__(f"{part}: {detail}" if detail else part)
        self.part = part
        self.detail = detail


class PeerAway(PeerError):
    """No answer in time, or the peer says that it cannot at the moment."""


class PeerBroken(PeerError):
    """The peer failed inside, or its answer has a shape that this portal does not know."""


class SignInNeeded(PeerError):
    """The visitor's credential is missing, wrong or over."""


class NotAllowed(PeerError):
    """The visitor is known and may not do this."""


class NotFound(PeerError):
    """It is not there, or the visitor may not see it; the two look alike on purpose."""


class RequestRefused(PeerError):
    """The peer finds a fault in the request (400, 409, 412, 413, 422).

    Args:
        faults: sentences by field of what was sent; empty when no field is at fault.
    """

    def __init__(self, part: str, detail: str = "", faults: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(part, detail)
        self.faults = faults or {}

    def renamed(self, names: Mapping[str, str]) -> "RequestRefused":
        """Return the same refusal with the fields called as a form calls them."""
        return RequestRefused(
            self.part, self.detail, {names.get(name, name): said for name, said in self.faults.items()}
        )
