"""The notifier's routes: the door for registries; what happened, and who is told of it, for people and programs."""
