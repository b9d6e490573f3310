"""Times of events: the least solution, whatever the order and span of counting; and events that wait for ever."""

import numpy as np
import pytest

from mbconv.generators.timing import event_graph
from mbconv.generators.timing.event_graph import Deadlock, EventGraph
from mbconv.generators.timing.events import LONG_AGO, Events


def random_graph(rng: np.random.Generator) -> EventGraph:
    """Classes that wait for parts of earlier ones, and for parts of any that come strictly before: no deadlock."""
    graph = EventGraph()
    for index in range(int(rng.integers(2, 6))):
        count = int(rng.integers(1, 25))
        earliest = np.sort(rng.choice(300, count, replace=False)) if rng.random() < 0.4 else np.zeros(count, int)
        graph.add(f"class {index}", count, int(rng.integers(1, 4)), earliest)
    for index, events in enumerate(graph.classes):
        for place, source in enumerate(graph.classes):
            if rng.random() < 0.5:
                targets = np.flatnonzero(rng.random(events.count) < 0.8)
                if place < index:  # no later in its own sequence than the event that waits
                    sources = targets * source.count // events.count
                else:  # earlier
                    sources = -(-targets * source.count // events.count) - int(rng.integers(1, 4))
                kept = sources >= 0
                delay = rng.integers(0, 9, int(kept.sum())) if rng.random() < 0.5 else int(rng.integers(0, 9))
                events.after_some(source, delay, targets[kept], sources[kept])
    return graph


def least_times(graph: EventGraph) -> dict[Events, np.ndarray]:
    """The same by raising one event after the other until all rules are kept."""
    times = {
        events: np.full(events.count, LONG_AGO) if events.earliest is None else events.earliest.copy()
        for events in graph.classes
    }
    changed = True
    while changed:
        changed = False
        for events in graph.classes:
            before = times[events].copy()
            for rule in events.rules:
                delays = np.broadcast_to(rule.delay, len(rule.targets))
                for target, source, delay in zip(rule.targets, rule.sources, delays, strict=True):
                    times[events][target] = max(times[events][target], times[rule.source][source] + delay)
            for index in range(1, events.count):
                times[events][index] = max(times[events][index], times[events][index - 1] + (events.spacing or 0))
            changed |= not np.array_equal(before, times[events])
    return times


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("short", [False, True])
def test_times_are_the_least(seed, short, monkeypatch):
    """Also where the count goes on in the shortest spans."""
    if short:
        for name, value in (("_SWEEPS", 1), ("_FIRST_SPAN", 8), ("_LEAST_SPAN", 2)):
            monkeypatch.setattr(event_graph, name, value)
    graph = random_graph(np.random.default_rng(seed))
    graph.settle()
    for events, times in least_times(graph).items():
        assert np.array_equal(events.times, times), (seed, events.name)


def test_counting_goes_on_with_longer_delays():
    graph = EventGraph()
    source = graph.add("a beat comes", 50, None, np.arange(0, 100, 2))
    taken, left = graph.add("a beat is taken", 50), graph.add("a beat leaves", 50, 3)
    rule = taken.after(source, 1)
    left.after(taken, 2)
    taken.after(left, 1, lag=4)
    graph.settle()
    taken.delay_more(rule, 7)
    graph.settle()
    assert np.array_equal(taken.times, least_times(graph)[taken])
    assert np.array_equal(left.times, least_times(graph)[left])
    with pytest.raises(ValueError, match="7 cycles can be lengthened, not shortened to 6"):
        taken.delay_more(rule, 6)


def test_a_queue_bounds_what_is_ahead():
    """A queue of three places between a source of one beat a cycle and a reader of one in four."""
    graph = EventGraph()
    entered = graph.add("enters", 10, earliest=np.zeros(10, np.int64))
    left = graph.add("leaves", 10, 4)
    left.after(entered, 1)
    entered.after(left, 1, lag=3)
    graph.settle()
    assert left.times.tolist() == [1, 5, 9, 13, 17, 21, 25, 29, 33, 37]
    assert entered.times.tolist() == [0, 1, 2, 3, 6, 10, 14, 18, 22, 26]


def test_a_deadlock_names_who_waits_for_whom():
    """A reader that takes two beats at once of a queue with one place; what came before has its times."""
    graph = EventGraph()
    source = graph.add("the source gives a beat", 20, None, np.arange(20) * 50)
    queue, reader = graph.add("the queue takes a beat", 20), graph.add("the reader takes two beats", 10)
    queue.after(source)
    reader.after_some(queue, 1, range(10), range(1, 20, 2))
    queue.after_some(reader, 1, range(5, 20), np.arange(5, 20) // 2)
    with pytest.raises(Deadlock) as caught:
        graph.settle()
    message = str(caught.value)
    assert "nothing moves any more after cycle 950" in message
    assert "the queue takes a beat (5 times so far)" in message
    assert "the reader takes two beats (2 times so far)" in message
    assert "source" not in message


def test_rules_are_checked():
    graph = EventGraph()
    a, b = graph.add("a", 3, earliest=np.zeros(3, np.int64)), graph.add("b", 3)
    with pytest.raises(ValueError, match="2 events of b cannot wait for 3 of a"):
        b.after_some(a, 0, range(2), range(3))
    with pytest.raises(ValueError, match="b cannot happen 1 cycles before what it waits for"):
        b.after(a, -1)
