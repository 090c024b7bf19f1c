"""When a statement has been timed often enough, and what is kept of it, by a made-up clock."""

from __future__ import annotations

import itertools
import re
import timeit
from collections.abc import Iterable

import pytest

from sphinx_cython.core.timing import RULE, Rule, time_in_turns


class Clock:
    """A clock that goes on only when a statement is executed."""

    def __init__(self) -> None:
        self.now = 0.0
        self.executed: list[str] = []

    def timer(self, name: str, seconds: Iterable[float]) -> timeit.Timer:
        """Return a timer of a statement that takes these times, and the last one ever after."""
        *first, last = seconds
        durations = itertools.chain(first, itertools.repeat(last))

        def execute() -> None:
            self.executed.append(name)
            self.now += next(durations)

        return timeit.Timer(execute, timer=lambda: self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


# A statement that takes a round by itself, so that each execution is a round.
ONE = RULE.round_seconds
# Times of a machine that does something else too: no two of them agree.
BUSY = [ONE * (1.3 + 0.05 * n) for n in range(20)]


def test_statements_are_executed_in_turns(clock: Clock):
    time_in_turns({name: clock.timer(name, [ONE]) for name in "abc"})
    # Each is tried first, to find out how often it has to be executed in a round.
    assert re.fullmatch(r"a+b+c+(abc){5,}", "".join(clock.executed))


def test_where_rounds_agree_there_are_few_of_them(clock: Clock):
    timing = time_in_turns({"a": clock.timer("a", [ONE])})["a"]
    assert timing.settled
    assert timing.rounds == RULE.agreeing
    assert timing.best == pytest.approx(ONE)


def test_rounds_that_disagree_are_followed_by_more(clock: Clock):
    timing = time_in_turns({"a": clock.timer("a", [*BUSY, ONE])})["a"]
    assert timing.settled
    assert timing.best == pytest.approx(ONE), "the minimum is that of the quiet time"
    assert timing.rounds > len(BUSY)


def test_all_go_on_until_the_last_one_has_settled(clock: Clock):
    timings = time_in_turns({"a": clock.timer("a", [ONE]), "b": clock.timer("b", [*BUSY, ONE])})
    assert timings["a"].rounds == timings["b"].rounds > len(BUSY)


def test_what_never_settles_ends_when_its_time_is_spent(clock: Clock):
    timer = clock.timer("a", [ONE * 0.98**n for n in range(300)])
    timing = time_in_turns({"a": timer}, rule=Rule(budget=20 * ONE))["a"]
    assert not timing.settled
    assert 20 < timing.rounds < 40


def test_a_statement_slower_than_the_budget_is_timed_twice(clock: Clock):
    timings = time_in_turns({"a": clock.timer("a", [2 * RULE.budget])})
    assert timings["a"].rounds == 2
    assert len(clock.executed) == 3


@pytest.mark.parametrize("seconds", [1e-7, 3e-6, 7e-5, 0.9 * ONE])
def test_a_round_takes_about_as_long_as_the_rule_says(clock: Clock, seconds: float):
    trial = Rule(budget=0.0)
    assert time_in_turns({"a": clock.timer("a", [seconds])}, rule=trial)["a"].rounds == 2
    before = len(clock.executed)
    timing = time_in_turns({"a": clock.timer("a", [seconds])})["a"]
    assert timing.best == pytest.approx(seconds)
    # Without the trial and the two rounds in both of them.
    executions = (len(clock.executed) - 2 * before) / (timing.rounds - 2)
    assert 0.6 * ONE < executions * seconds < 1.4 * ONE
    # Finding out how often to execute it does not take longer than some rounds do.
    assert before * seconds < 6 * ONE


def test_an_interruption_at_first_does_not_make_rounds_short(clock: Clock):
    timer = clock.timer("a", [50 * ONE, ONE / 100])
    timing = time_in_turns({"a": timer})["a"]
    assert len(clock.executed) > timing.rounds * 50


def test_the_spread_of_the_rounds_is_kept(clock: Clock):
    trial, rounds = [ONE] * 3, [ONE * (1 + 0.1 * n) for n in (4, 0, 3, 1, 2)]
    timer = clock.timer("a", [*trial, *rounds])
    timing = time_in_turns({"a": timer}, rule=Rule(budget=5.5 * ONE))["a"]
    assert timing.rounds == 5
    assert timing.quartiles == pytest.approx((1.1 * ONE, 1.2 * ONE, 1.3 * ONE))
    assert timing.best == pytest.approx(ONE)


def test_who_times_is_told_what_comes_next(clock: Clock):
    told: list[str] = []
    timers = {"a": clock.timer("a", [ONE]), "b": clock.timer("b", [ONE])}
    time_in_turns(timers, begin=told.append)
    assert [name for name, _ in itertools.groupby(told)] == [
        name for name, _ in itertools.groupby(clock.executed)
    ]


def test_nothing_to_time_takes_no_time():
    assert time_in_turns({}) == {}


def test_an_exception_of_a_statement_comes_through():
    with pytest.raises(ZeroDivisionError):
        time_in_turns({"a": timeit.Timer("1/0")})
