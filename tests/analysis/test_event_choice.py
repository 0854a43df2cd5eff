"""A choice of events is the same in all orders of a session, nested, and leaves the signal of each event as it was."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from analysis.event_choice import choose_events, event_ids, keep_events
from tests.analysis.spliced_people import REPEATS, spliced
from tests.refused import refused

ORDERS = [spliced(3, 1, order) for order in range(3)]


def test_all_orders_hold_the_same_events():
    ids = [event_ids(session) for session in ORDERS]
    assert ids[0] != ids[1] and sorted(ids[0]) == sorted(ids[1]) == sorted(ids[2])
    assert len(set(ids[0])) == 3 * REPEATS


def test_a_share_takes_as_many_of_every_class_and_smaller_shares_are_part_of_larger_ones():
    few, more = (choose_events(ORDERS, 5, share=share) for share in (0.25, 0.5))
    assert few < more
    assert set(Counter(event.partition("/")[0] for event in more).values()) == {2}
    assert choose_events(ORDERS, 6, share=0.5) != more
    assert choose_events(ORDERS, 5, count=2) == more


def test_chosen_events_keep_their_signal_their_order_and_the_rest_around_them():
    chosen = choose_events(ORDERS, 5, share=0.5)
    for session in ORDERS:
        kept = keep_events(session, chosen)
        wanted = [i for i, event in enumerate(event_ids(session)) if event in chosen]
        assert event_ids(kept) == [event_ids(session)[i] for i in wanted]
        assert (kept.labels == session.labels[wanted]).all()
        assert kept.samples == len(kept.array) < session.samples
        for new, old in enumerate(wanted):
            for side in (-20, 0, 100):
                at, was = int(kept.key_first[new]) + side, int(session.key_first[old]) + side
                assert (kept.array[at] == session.array[was]).all()
            assert kept.key_end[new] - kept.key_first[new] == session.key_end[old] - session.key_first[old]
        assert list(kept.joints) == sorted(set(kept.joints)) and kept.joints[-1] < kept.samples
        assert len(kept.joints) == 2 * len(wanted) - 1


def test_all_events_leave_the_session_as_it_is():
    assert keep_events(ORDERS[0], choose_events(ORDERS, 0)) is ORDERS[0]


def test_sessions_that_are_not_spliced_or_lack_ends_are_refused():
    with refused("bad-value", ORDERS[0].name):
        event_ids(replace(ORDERS[0], origin=""))
    with refused("bad-value", ORDERS[0].name):
        event_ids(replace(ORDERS[0], key_end=None))
    with refused("bad-value", ORDERS[0].name):
        keep_events(replace(ORDERS[0], joints=()), choose_events(ORDERS, 5, share=0.5))


def test_more_events_than_there_are_and_orders_of_two_sessions_are_refused():
    with refused("bad-value", ORDERS[0].origin):
        choose_events(ORDERS, 0, count=REPEATS + 1)
    with refused("conflict", "p04-1"):
        choose_events([ORDERS[0], spliced(4, 1, 0)], 0)
    with refused("no-keys", ORDERS[0].name):
        keep_events(ORDERS[0], {"0/nothing"})


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_events_are_recognised_whatever_the_length_of_the_hold(scale):
    scaled = [replace(session, array=session.array * np.float32(scale)) for session in ORDERS]
    assert choose_events(scaled, 1, count=1)
