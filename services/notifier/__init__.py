"""What just happened in the registry?

Owns the door that registries report to, the spool behind it, the events that nobody understood, and the
webhooks that are told what happened. It answers a registry only when its events are on disk.
"""
