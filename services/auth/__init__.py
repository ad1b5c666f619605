"""Who are you, and what may you do?

Owns people, their sessions, teams and roles, namespaces and their visibility, the signing keys, and
every decision about a registry's resources. It issues the tokens that the registry trusts. It knows
no image: what lies in the registry is the catalog's.
"""
