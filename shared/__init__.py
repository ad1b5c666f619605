"""What at least two services need and a public specification or our own contract defines.

Owns the vocabulary (``oci``), the wire contracts (``contracts``), and the plumbing every service
is built on (``api``, ``messaging``, ``observability``, ``upstream``, ``database``, ``config``,
``clock``). It knows no service, holds no business rule, and has no effect at import.
"""
