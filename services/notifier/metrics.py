"""What is counted. All have labels: see ``shared.api.serving.serve``."""

from prometheus_client import Counter, Gauge

EVENTS = Counter("portus_notifier_events_total", "Events of registries.", ["outcome"])
"""``accepted``: understood, and answered 202; ``quarantined``: not understood, kept whole, and answered 202;
``spooled``: of all those, stored in the spool because the broker took none."""

REFUSED = Counter("portus_notifier_envelopes_refused_total", "Requests of registries not answered 202.", ["status"])

SPOOL_LENGTH = Gauge(
    "portus_notifier_waiting_events", "Events that wait.", ["queue"], multiprocess_mode="livemostrecent"
)

DEAD_LETTERS = Gauge(
    "portus_notifier_dead_letters",
    "Messages that could not be applied and wait for somebody.",
    ["queue"],
    multiprocess_mode="livemostrecent",
)

WEBHOOK_DELIVERIES = Gauge(
    "portus_notifier_webhook_deliveries",
    "What webhooks are told: ``due``: to be sent now; ``later``: to be tried again.",
    ["state"],
    multiprocess_mode="livemostrecent",
)
