"""What can be done with the index, one function per verb, one transaction each.

Nothing here asks the registry inside a transaction, and nothing below here commits.
"""
