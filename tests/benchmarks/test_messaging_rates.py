"""How fast messages are published and consumed, and how soon a waiting consumer sees one."""

import statistics
import threading
import time
from collections.abc import Callable

import pytest

from shared.config import Secret
from shared.messaging.publisher import Publisher
from shared.messaging.topology import declare_topology
from tests.support.messages import Collector, consuming, make_envelope, make_envelopes
from tests.support.waiting import wait_until

MESSAGES = 4_000
ONE_AT_A_TIME = 300
THREADS = 8


@pytest.mark.benchmark
def test_rates(broker_url: Secret, show_figures: Callable[[str], None]) -> None:
    """Prints messages per second of one process, 1.5 kB each."""
    declare_topology(broker_url)
    publisher = Publisher(broker_url, timeout_s=30)
    padding = {"padding": "x" * 1200}
    publisher.publish([make_envelope("warm-up")])

    together = _rate(MESSAGES, lambda: publisher.publish([make_envelope(f"a-{n}", **padding) for n in range(MESSAGES)]))
    alone = _rate(ONE_AT_A_TIME, lambda: _publish_singly(publisher, "b", ONE_AT_A_TIME))
    threads = _rate(ONE_AT_A_TIME * THREADS, lambda: _publish_from_threads(publisher))
    total = 1 + MESSAGES + ONE_AT_A_TIME * (1 + THREADS)
    collector = Collector()
    started = time.perf_counter()
    with consuming(broker_url, collector):
        wait_until(lambda: len(collector.ids) == total, what="all arrived", timeout_s=120, every_s=0.005)
        consumed = total / (time.perf_counter() - started)
        delays_ms = _measure_wakeups(publisher, collector)
    publisher.close()

    kind = broker_url.reveal().split(":")[0]
    show_figures(
        f"{kind}: published per second {together:.0f} at once, {alone:.0f} one by one,"
        f" {threads:.0f} one by one from {THREADS} threads; consumed per second {consumed:.0f};"
        f" publish to handler, median {statistics.median(delays_ms):.1f} ms, worst {max(delays_ms):.1f} ms"
    )


def _rate(count: int, work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


def _publish_singly(publisher: Publisher, prefix: str, count: int) -> None:
    for envelope in make_envelopes(count, prefix):
        publisher.publish([envelope])


def _publish_from_threads(publisher: Publisher) -> None:
    threads = [
        threading.Thread(target=_publish_singly, args=(publisher, f"c{number}", ONE_AT_A_TIME))
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _measure_wakeups(publisher: Publisher, collector: Collector) -> list[float]:
    delays_ms = []
    for number in range(40):
        time.sleep(0.05)
        seen = len(collector.ids)
        started = time.perf_counter()
        publisher.publish([make_envelope(f"wake-{number}")])
        wait_until(lambda seen=seen: len(collector.ids) > seen, what="it arrives", every_s=0.0005)  # type: ignore[misc]
        delays_ms.append((time.perf_counter() - started) * 1000)
    return delays_ms
