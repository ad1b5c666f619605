"""What ``auth`` counts, besides what every service does."""

from prometheus_client import Counter

NOTES_DROPPED = Counter(
    "portus_auth_notes_dropped_total",
    "Notes (records of decisions, last uses) that were not kept: full, refused by the database, or left at shutdown.",
    ["reason"],
)
