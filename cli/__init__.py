"""The `portus` command: `portus up` runs the whole of Portus on one machine.

It is a client: it starts the services as anybody would, by `python -m services.<name> …`, and
imports none of them.
"""
