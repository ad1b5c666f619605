"""The vocabulary of the OCI and distribution specifications, as checked types.

Owns names, references, digests, media types, token scopes and the reading of manifests. Pure:
standard library only, no I/O. A raw string from outside becomes one of these at the edge, once.
"""
