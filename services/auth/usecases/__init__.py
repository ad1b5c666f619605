"""What ``auth`` does, one function per verb.

A use case takes the acting subject first, opens one transaction, asks the domain, and writes its
event into the outbox inside that transaction. Clients and signers are its arguments.
"""
