"""The index as tables, on PostgreSQL and SQLite.

Owns the schema, its migrations and every statement. Nothing here commits: the use case opens the
one transaction. Reading on behalf of a caller takes that caller's visibility, always.
"""
