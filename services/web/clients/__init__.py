"""The portal's side of the wire: what `auth` and `catalog` answer, as frozen dataclasses.

Owns the reading of their JSON, the translation of their failures into one small error tree, and
the access tokens held in memory. It renders nothing and decides nothing.
"""
