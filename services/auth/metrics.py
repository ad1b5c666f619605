"""What ``auth`` counts, besides what every service does."""

from prometheus_client import Counter, Gauge

NOTES_DROPPED = Counter(
    "portus_auth_notes_dropped_total",
    "Notes (records of decisions, last uses) that were not kept: full, refused by the database, or left at shutdown.",
    ["reason"],
)

TOKENS_DEGRADED = Counter(
    "portus_auth_degraded_tokens_total",
    "Tokens issued while the database was away, by what a minute before it had said of the caller.",
    ["credential"],
)

KEY_CREATED = Gauge(
    "portus_auth_key_created_timestamp_seconds",
    "When the leaf that signs was made, and from when on the CA is valid (Unix time).",
    ["key"],
    multiprocess_mode="livemostrecent",
)
KEY_EXPIRES = Gauge(
    "portus_auth_key_expires_timestamp_seconds",
    "When the leaf that signs, and the CA, end (Unix time).",
    ["key"],
    multiprocess_mode="livemostrecent",
)
