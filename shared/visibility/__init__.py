"""What a caller may see, decided by ``auth`` and told as data.

Owns the answer of ``GET /internal/v1/visibility`` (docs/architecture.md), how a service asks for it on
behalf of the request that it serves, and how the answer becomes a condition. It decides nothing.
"""
