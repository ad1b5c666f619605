"""Keys, and the tokens signed with them.

Owns the CA (``authority``), the short-lived leaves under it (``leaves``, ``keyring``), the tokens
for the registry (``registry_tokens``) and for our own APIs (``access_tokens``). What a token may
say is decided elsewhere.
"""
