"""What ``auth`` keeps, in SQLAlchemy Core: tables, statements, migrations.

Owns no rule and ends no transaction: every function takes the connection of its caller, and the use
case that opened it commits. Nothing here is an ORM class; the token path could not afford one.
"""
