"""Logs as JSON lines with a request id, and Prometheus metrics over several processes.

Owns how a service is watched; what is counted belongs to the service.
"""
