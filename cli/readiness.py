"""Ask the processes of the stack whether they can work."""

import json
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener


def readiness_fault(url: str) -> str | None:
    """Ask a process whether it can work; return why not, or ``None``. 401 is an answer too."""
    try:
        # A proxy for the way out has no business between two processes of one machine.
        build_opener(ProxyHandler({})).open(url, timeout=2).close()
    except HTTPError as answer:
        with answer:
            return None if answer.code < 500 else _explain(answer.read(65_536))
    except (URLError, OSError) as fault:
        return f"does not answer ({fault})"
    return None


def _explain(body: bytes) -> str:
    try:
        faults = json.loads(body)["faults"]
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:200]
    return ", ".join(f"{name}: {fault}" for name, fault in faults.items())
