"""The notifier's one route."""
