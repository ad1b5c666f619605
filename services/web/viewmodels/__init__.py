"""What a page says, as plain data: words for times and sizes, rows for tables, commands to paste.

Pure: everything comes in as an argument, the present moment too, and nothing here knows HTTP or
markup. Templates decide how it looks; the escaping is theirs.
"""
