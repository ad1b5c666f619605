"""The servers that the catalogue asks: the registry, read like any client reads it, and ``auth``.

Owns what goes over the wire and how it fails; knows nothing of the index.
"""
