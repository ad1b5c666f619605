"""What the notifier does: accept a registry's envelope, keep what nobody understood."""
