"""The notifier's own database: quarantined events and the inbox."""
