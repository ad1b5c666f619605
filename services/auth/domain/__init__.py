"""The rules of ``auth``: frozen dataclasses and plain functions.

Owns who may do what (``decisions``), what may be seen (``visibility``), and the rules that keep
accounts, teams and namespaces sound. No clock, no I/O, no framework.
"""
