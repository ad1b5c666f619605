"""Which variables of an image's environment look as if they held a secret.

Nobody should have put one there, and many have: whoever shows an environment to people may hide these first.
"""

import re
from collections.abc import Iterable, Sequence

_PARTS = re.compile(
    r"(?:^|_)(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET|TOKEN|(?:API|ACCESS|PRIVATE|SSH|SECRET)?_?KEY|CREDENTIALS?|AUTH)(?:_|$)",
    re.IGNORECASE,
)
_NAMES_A_FILE = re.compile(r"_(?:FILE|PATH|DIR)$", re.IGNORECASE)
"""Such a variable says where a secret lies, which is how it should be done."""
_URL_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE)
_NO_SECRETS = frozenset({"PWD", "OLDPWD"})


def list_secret_names(env: Iterable[str]) -> Sequence[str]:
    """Return the names of variables that look secret, by their name or by an address with a password.

    Args:
        env: ``NAME=value``.
    """
    pairs = [(name, value) for name, _, value in (each.partition("=") for each in env)]
    return [name for name, value in pairs if value and _looks_secret(name, value)]


def _looks_secret(name: str, value: str) -> bool:
    if _URL_WITH_PASSWORD.search(value):
        return True
    if name.upper() in _NO_SECRETS or _NAMES_A_FILE.search(name):
        return False
    return _PARTS.search(name) is not None
