"""The notifier's routes: the door for registries, and what happened, for people and programs."""
