"""Calling another server over HTTP: time-outs always, retries only where repeating is harmless.

Owns the session and the three ways a call can fail. It knows no server.
"""

from shared.upstream.session import UpstreamError, UpstreamSession, UpstreamUnavailable

__all__ = ["UpstreamError", "UpstreamSession", "UpstreamUnavailable"]
