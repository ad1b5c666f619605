"""``auth``, asked which namespaces there are."""

from collections.abc import Collection, Sequence

from shared.api.peers import PEER_HEADER
from shared.config import Secret
from shared.upstream import UpstreamError, UpstreamSession

NAMES_PER_QUESTION = 1000
"""What ``auth`` answers at once."""


class NamespaceClient:
    """Asks ``auth``, as a peer.

    Args:
        session: on ``PORTUS_AUTH_URL``.
        peer_secret: ``PORTUS_INTERNAL_SECRET``.
    """

    def __init__(self, session: UpstreamSession, *, peer_secret: Secret) -> None:
        self._session = session
        self._peer_secret = peer_secret

    def find_unknown(self, names: Collection[str]) -> Sequence[str]:
        """Return those of some namespaces that nobody has made.

        Raises:
            UpstreamError: no answer, or not what it should be.
        """
        ordered = sorted(names)
        parts = [ordered[start : start + NAMES_PER_QUESTION] for start in range(0, len(ordered), NAMES_PER_QUESTION)]
        return [name for part in parts for name in self._ask(part)]

    def _ask(self, names: Sequence[str]) -> Sequence[str]:
        headers = {PEER_HEADER: self._peer_secret.reveal()}
        response = self._session.request(
            "POST", "/internal/v1/namespaces/unknown", headers=headers, json={"names": names}
        )
        if response.status_code != 200:
            raise UpstreamError(f"auth answered {response.status_code}")
        try:
            return [str(name) for name in response.json()["unknown"]]
        except (ValueError, LookupError, TypeError) as fault:
            raise UpstreamError("auth did not answer what it should") from fault
