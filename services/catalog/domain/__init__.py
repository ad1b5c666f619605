"""What notifications and manifests mean for the index: frozen values and pure functions.

Owns the meaning of a notification (``occurrences``), the state of a repository (``index``), the
reading of manifests (``manifests``), when to ask again (``retries``) and what a caller may see
(``visibility``).
"""
