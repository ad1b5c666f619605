"""Messages between services: published for certain, applied once.

Owns the publisher, the consumer, the topology, the inbox and outbox tables and the SQLite transport
that stands in for RabbitMQ on one machine. It knows no message's meaning.
"""
