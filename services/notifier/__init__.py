"""What just happened in the registry?

Owns the door that registries report to, the spool behind it, and the events that nobody understood.
It answers a registry only when its events are on disk, and knows nothing of what they mean to others.
"""
