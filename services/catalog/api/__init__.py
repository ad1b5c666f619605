"""The catalogue's public API: what docs/architecture.md promises, and its OpenAPI document.

A view loads input, calls one use case and dumps output. Who is calling, and what that caller may
see, is asked of ``auth`` at every request.
"""
