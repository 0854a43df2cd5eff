"""SIGTERM inside the block is a wish, outside it is what it was before."""

import os
import signal
import threading

from semgjax.training.preemption import termination


def test_a_signal_sets_the_flag_and_the_old_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with termination() as asked:
        assert not asked(1)
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked(1)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_old_handler_comes_back_after_an_error():
    before = signal.getsignal(signal.SIGTERM)
    try:
        with termination():
            raise RuntimeError
    except RuntimeError:
        pass
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_nothing_is_changed():
    seen = []

    def work():
        with termination() as asked:
            seen.append((signal.getsignal(signal.SIGTERM), asked(1)))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, False)]
