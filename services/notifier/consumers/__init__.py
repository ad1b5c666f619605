"""What the worker works off: its own spool, events, what nobody understood, and what webhooks are to be told."""
