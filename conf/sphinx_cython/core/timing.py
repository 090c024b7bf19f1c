"""Times statements against each other, in this process.

An interruption makes an execution slower and never faster, so the minimum of many short rounds
counts. How many rounds that takes depends on what else the machine does. Interrupted rounds
scatter; rounds that nothing interrupts take the same time. So a statement has settled when
several rounds agree with its minimum, and those whose rounds scatter get more of them.

Statements are executed in turns, and all of them until the last one has settled: what slows the
machine down for a while then slows all of them down, and each has the same chances.
"""

from __future__ import annotations

import statistics
import timeit
from bisect import bisect_right, insort
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

# No interruption takes this long, in seconds.
_LONGEST_INTERRUPTION = 0.1


@dataclass(frozen=True)
class Rule:
    """When to stop.

    Attributes:
        round_seconds: What a round should take; a statement that takes longer is executed once.
            Short, so that on a busy machine some rounds fall between two interruptions.
        tolerance: How much longer than the minimum a round may take to agree with it, as a
            fraction. Pages show ratios with two digits, so less than that is not seen.
        agreeing: How many rounds have to agree with the minimum (which does so itself).
        budget: After how many seconds of rounds to stop, settled or not.
    """

    round_seconds: float = 0.0005
    tolerance: float = 0.01
    agreeing: int = 8
    budget: float = 1.5

    def settled(self, rounds: list[float]) -> bool:
        """Tell whether enough rounds agree with the fastest.

        Args:
            rounds: The time of an execution in each round, in ascending order.
        """
        return bisect_right(rounds, rounds[0] * (1 + self.tolerance)) >= self.agreeing


RULE = Rule()


@dataclass(frozen=True)
class Timing:
    """What is known of a statement.

    Attributes:
        best: The seconds of an execution in the fastest round.
        quartiles: The seconds of an execution that a quarter, a half and three quarters of the
            rounds did not exceed.
        rounds: How many rounds there were.
        settled: Whether enough of them agreed with the fastest.
    """

    best: float
    quartiles: tuple[float, float, float]
    rounds: int
    settled: bool


def time_in_turns(
    timers: Mapping[Key, timeit.Timer],
    rule: Rule = RULE,
    begin: Callable[[Key], object] = lambda key: None,
) -> dict[Key, Timing]:
    """Time statements against each other.

    Args:
        timers: A timer for each statement. What a statement raises comes through.
        rule: When to stop.
        begin: Called with the key of a statement before it is executed.
    """
    executions: dict[Key, int] = {}
    rounds: dict[Key, list[float]] = {key: [] for key in timers}
    for key, timer in timers.items():
        begin(key)
        executions[key] = _executions_of_a_round(timer, rule.round_seconds)
    spent = 0.0
    turns = 0
    # Twice at least: a single round may be an interrupted one.
    while turns < 2 or (
        spent <= rule.budget and not all(rule.settled(times) for times in rounds.values())
    ):
        for key, timer in timers.items():
            begin(key)
            seconds = timer.timeit(executions[key])
            spent += seconds
            insort(rounds[key], seconds / executions[key])
        turns += 1
    return {key: _summary(times, rule) for key, times in rounds.items()}


def _executions_of_a_round(timer: timeit.Timer, round_seconds: float) -> int:
    """Find out how often a statement has to be executed to fill a round."""
    number = 1
    while True:
        seconds = timer.timeit(number)
        if seconds >= round_seconds / 8:
            break
        number *= 8
    # The best of three: an interruption must not pass for a slow statement.
    for _ in range(2):
        if seconds < _LONGEST_INTERRUPTION:
            seconds = min(seconds, timer.timeit(number))
    return max(1, round(number * round_seconds / seconds))


def _summary(times: list[float], rule: Rule) -> Timing:
    first, second, third = statistics.quantiles(times, n=4, method="inclusive")
    return Timing(times[0], (first, second, third), len(times), rule.settled(times))
