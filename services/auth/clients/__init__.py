"""Other servers, as ``auth`` asks them: a registry when it is entered or checked, ``catalog`` before anything goes
that images lie in. No rule lives here.
"""
