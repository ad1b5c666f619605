"""The pages: each view loads input, calls a client and renders a template.

Owns the addresses, the cookies, the defensive headers and what an error looks like. It decides
nothing about who may see what; `auth` does, and the answers of the peers carry it.
"""
