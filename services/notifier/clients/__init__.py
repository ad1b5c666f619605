"""Whom the notifier hands events to: the broker, with the spool behind it, and the receivers of webhooks."""
