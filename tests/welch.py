"""Welch's t-test: whether two sets of times differ by more than chance makes them."""

from __future__ import annotations

import gc
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import fmean, variance

BOUND = 4.5
"""The usual bound for leaks in time: by chance, |t| passes it once in 150,000 tries."""

KEPT = 0.9
"""The slowest tenth is left out: it tells what else the machine does."""

Work = Callable[[], object]


def t_value(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Welch's t of two samples, each without its slowest tenth."""
    one, other = _trimmed(one), _trimmed(other)
    error = variance(one) / len(one) + variance(other) / len(other)
    return (fmean(one) - fmean(other)) / math.sqrt(error or 1e-12)


def compare(pairs: Iterable[tuple[Work, Work]]) -> float:
    """Return t of the processor time of two kinds of work, measured in turns, in chance order.

    Counted is the time of this thread alone, so that a busy machine does not blur it.
    """
    times: tuple[list[float], list[float]] = ([], [])
    with _no_collection():
        for pair in pairs:
            for which in random.sample((0, 1), 2):
                before = time.thread_time_ns()
                pair[which]()
                times[which].append(time.thread_time_ns() - before)
    return t_value(*times)


def differ(pairs: Callable[[], Iterable[tuple[Work, Work]]], rounds: int = 3) -> float:
    """Return the smallest |t| of up to ``rounds`` comparisons; further ones only to confirm.

    A real difference shows in each of them, chance does not.
    """
    least = float("inf")
    for _ in range(rounds):
        least = min(least, abs(compare(pairs())))
        if least < BOUND:
            break
    return least


def _trimmed(times: Sequence[float]) -> list[float]:
    return sorted(times)[: max(2, int(len(times) * KEPT))]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector out of what is measured."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
