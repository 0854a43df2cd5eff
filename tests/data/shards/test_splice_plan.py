"""Spliced sessions, planned: every event once an order, cut in its rest, at places that are exact."""

import numpy as np
import pytest

from semgjax.data.shards.splice_plan import Events, SpliceRule, splice, usable_events
from tests.refused import refused

RATE = 200.0


def events_of(onset, end, samples, joints=(), rate=RATE):
    columns = (np.array(column, np.int64) for column in (onset, end, joints))
    return Events(*columns, samples, rate)


def random_events(seed: int, rate: float = RATE) -> Events:
    """Events and rests of 0.2 to 3 s in three parts; some ends are not known."""
    random = np.random.default_rng(seed)
    lengths = random.integers(int(0.2 * rate), int(3 * rate), 2 * 30 + 1)
    edges = np.cumsum(lengths)
    onset, end = edges[0:-1:2], edges[1::2] - 1
    joints = (end[9] + onset[10]) // 2, end[19] + 1  # the second recording ends with its last event
    return events_of(onset, np.where(random.random(30) < 0.1, -1, end), int(edges[-1]), joints, rate)


@pytest.mark.parametrize("rate", [200.0, 500.0, 2000.0])
@pytest.mark.parametrize("seed", range(5))
def test_an_order_is_made_of_whole_events_with_their_own_rest(seed, rate):
    events, rule = random_events(seed, rate), SpliceRule(seed=seed)
    usable = usable_events(events, rule)
    assert 5 < len(usable.index) < 30
    assert len(usable.index) + sum(usable.left_out.values()) == 30
    for order in range(3):
        plan = splice(events, usable, rule, "one", order)
        assert sorted(plan.event) == list(usable.index)
        lengths = plan.stop - plan.start
        assert (lengths > 0).all() and lengths.sum() == plan.samples
        assert list(np.cumsum(lengths)[:-1]) == list(plan.joints)
        source = np.concatenate([np.arange(*piece) for piece in zip(plan.start, plan.stop, strict=True)])
        assert len(set(source)) == len(source)
        # Onsets are those of the recording, and a hold is not interrupted.
        assert list(source[plan.onset]) == list(events.onset[plan.event])
        hold = plan.end - plan.onset + 1
        assert list(source[plan.end]) == list(source[plan.onset] + hold - 1)
        assert (source[plan.end] <= events.end[plan.event]).all()
        assert (hold <= 1.7 * rate).all()
        whole = events.end[plan.event] - events.onset[plan.event] + 1
        assert (hold >= np.minimum(0.7 * rate, whole)).all()
        # What is not in a hold is rest of the recording, beside the same event.
        held = np.zeros(plan.samples, bool)
        for first, last in zip(plan.onset, plan.end, strict=True):
            held[first : last + 1] = True
        for first, last in zip(events.onset, events.end, strict=True):
            assert not ((source[~held] >= first) & (source[~held] <= last)).any()
        rest = np.diff(np.flatnonzero(np.diff(np.concatenate([[1], held, [1]]))))[::2]
        after_last = plan.event[:-1] == 19
        assert (rest[1:-1] >= np.where(after_last, 0.3, 0.6) * rate).all() and (rest <= 1.8 * rate).all()
        # No joint lies in a hold, and none of the recording in a piece.
        holds = list(zip(plan.onset, plan.end, strict=True))
        assert not any(first < joint <= last for joint in plan.joints for first, last in holds)
        for joint in events.joints:
            assert not ((plan.start < joint) & (joint < plan.stop)).any()


def test_the_order_depends_on_seed_session_and_order_number_alone():
    events, rule = random_events(1), SpliceRule()
    usable = usable_events(events, rule)
    plans = [
        splice(events, usable, SpliceRule(seed=seed), session, order)
        for seed, session, order in [(0, "a", 0), (0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1)]
    ]
    assert list(plans[0].event) == list(plans[1].event) and list(plans[0].start) == list(plans[1].start)
    assert len({tuple(plan.event) for plan in plans}) == 4
    more = splice(events, usable, SpliceRule(orders=20), "a", 0)
    assert list(more.event) == list(plans[0].event)


def test_an_order_is_the_same_in_every_release():
    """Change these numbers only together with READERS of the spliced form: earlier shards would be reused."""
    events = events_of([200, 800, 1400], [500, 1100, 1700], 2000)
    rule = SpliceRule()
    plan = splice(events, usable_events(events, rule), rule, "s", 0)
    assert (list(plan.event), list(plan.onset), plan.samples) == ([1, 2, 0], [149, 534, 960], 1264)


def test_a_sequence_begins_and_ends_with_the_longest_rest():
    onset = np.arange(1, 13) * 1000
    events, rule = events_of(onset, onset + 299, 13_000), SpliceRule(events=4)
    plan = splice(events, usable_events(events, rule), rule, "s", 0)
    between = plan.onset[1:] - plan.end[:-1] - 1
    assert plan.onset[0] == 180 and plan.samples - plan.end[-1] - 1 == 180
    assert list(between[3::4]) == [360, 360] and (np.delete(between, [3, 7]) < 360).any()


def test_a_rest_is_shared_by_the_events_beside_it_and_ends_at_a_joint():
    # Rest of 100 samples between the first two; a joint 80 samples after the second one.
    events = events_of([100, 300, 500], [199, 399, 599], 800, joints=[480])
    usable = usable_events(events, SpliceRule(rest=(0.05, 1.0)))
    assert list(usable.index) == [0, 1, 2]
    assert list(usable.before) == [100, 50, 20] and list(usable.after) == [50, 80, 200]


@pytest.mark.parametrize(
    "onset, end, joints, index, left_out",
    [
        ([100, 300, 500], [199, -1, 599], [], [0], {"no_end": 2}),
        ([100, 300, 500], [199, -1, 599], [450], [0, 2], {"no_end": 1}),
        ([100, 300, 500], [310, 399, 599], [], [2], {"overlap": 2}),
        ([100, 300, 300], [199, 399, 399], [], [0], {"overlap": 2}),
        ([100, 300, 500], [550, 399, 599], [], [], {"overlap": 3}),
        ([100, 300, 500], [199, 399, 599], [350], [0, 2], {"joint": 1}),
        ([100, 210, 500], [199, 399, 599], [], [2], {"short_rest": 2}),
        ([0, 300, 500], [99, 399, 599], [], [1, 2], {"short_rest": 1}),
        ([100, 300, 600], [199, 399, 699], [], [0, 1, 2], {}),
        ([100, 300, 700], [199, 399, 720], [], [0, 1], {"outside": 1}),
        ([100, 300, 700], [199, 399, 705], [], [0, 1], {"outside": 1}),
        ([], [], [], [], {}),
    ],
)
def test_events_that_cannot_be_cut_out_are_counted(onset, end, joints, index, left_out):
    usable = usable_events(events_of(onset, end, 700, joints), SpliceRule(rest=(0.1, 1.0)))
    assert (list(usable.index), usable.left_out) == (index, left_out)


@pytest.mark.parametrize(
    "values",
    [
        {"orders": 0},
        {"orders": 101},
        {"events": 0},
        {"rest": (0.9, 0.3)},
        {"rest": (0.0, 1.0)},
        {"hold": (1.0, np.inf)},
    ],
)
def test_a_rule_out_of_range_is_refused(values):
    (name,) = values
    with refused("bad-value", f"--{name}"):
        SpliceRule(**values)
