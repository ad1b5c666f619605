"""What the worker consumes: its own spool, and the events that nobody understood."""
