"""A small load generator: processes with threads, each with one connection that is kept alive."""

import http.client
import multiprocessing
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One request, sent again and again."""

    port: int
    path: str
    headers: Mapping[str, str]
    body: bytes | None = None
    """Sent by POST; ``None``: a GET."""
    status: int = 200
    """What every answer must be."""


@dataclass(frozen=True)
class Measured:
    """What came of it."""

    latencies_s: tuple[float, ...]
    duration_s: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.duration_s

    def percentile_ms(self, percent: int) -> float:
        return statistics.quantiles(self.latencies_s, n=100)[percent - 1] * 1000

    def __add__(self, other: "Measured") -> "Measured":
        return Measured(self.latencies_s + other.latencies_s, self.duration_s + other.duration_s)


def measure(target: Target, *, duration_s: float, processes: int, threads: int) -> Measured:
    """Send the request from all threads of all processes for a while; every answer must be as expected."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        # Started and warm before the clock runs.
        list(pool.map(_run, [target] * processes, [0.2] * processes, [threads] * processes))
        jobs = [pool.submit(_run, target, duration_s, threads) for _ in range(processes)]
        latencies = tuple(latency for job in jobs for latency in job.result())
    return Measured(latencies, duration_s)


def _run(target: Target, duration_s: float, threads: int) -> list[float]:
    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(lambda _: _ask_until(target, time.perf_counter() + duration_s), range(threads)))
    return [latency for result in results for latency in result]


def _ask_until(target: Target, end_s: float) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    latencies = []
    while (started := time.perf_counter()) < end_s:
        method = "GET" if target.body is None else "POST"
        connection.request(method, target.path, body=target.body, headers=dict(target.headers))
        response = connection.getresponse()
        body = response.read()
        assert response.status == target.status, body
        latencies.append(time.perf_counter() - started)
    connection.close()
    return latencies
