"""What the notifier does: accept a registry's envelope, keep the log of events, tell webhooks, keep the rest."""
