"""Whom the notifier hands events to: the broker, with the spool behind it."""
