"""The HTTP face of ``auth``.

Owns the token endpoint and the key set (plain routes, for the registry and its clients), the
management API ``/api/v1`` (flask-smorest), and ``/internal/v1`` for peers. A view loads input, calls
one use case and dumps output; who is calling is established in ``identity``, and errors leave
through one table per kind of client.
"""
