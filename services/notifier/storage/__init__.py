"""The notifier's own database: the event log, quarantined events and the inbox."""
