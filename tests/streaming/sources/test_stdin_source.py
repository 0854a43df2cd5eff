"""Packets through a pipe: cut anywhere, cut off, and refused."""

import os
import threading

import numpy as np
import pytest

from semgjax.streaming.packets import Packet, encode_packet
from semgjax.streaming.sources.stdin_source import StdinSource
from tests.refused import refused


def packet(first, count=10):
    numbers = np.arange(first, first + count, dtype=np.float32)
    return encode_packet(Packet(numbers[:, None], 500.0, first, time=first / 500))


@pytest.fixture
def pipe():
    """Writes pieces into a pipe from another thread; the reading end."""
    threads = []

    def write(*pieces):
        reads, writes = os.pipe()

        def run():
            for piece in pieces:
                os.write(writes, piece)
            os.close(writes)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return StdinSource(reads, 5.0)

    yield write
    for thread in threads:
        thread.join()


def read_all(source):
    found = []
    while (samples := source.read()) is not None:
        found.append(samples)
    return [one for one in found if len(one.emg_TxC)]


def test_packets_are_found_however_the_pipe_cuts_them(pipe):
    content = packet(0) + packet(10) + packet(20)
    source = pipe(*(content[at : at + 37] for at in range(0, len(content), 37)))
    assert not source.live and (source.describe().rate, source.describe().channels) == (500.0, 1)
    found = read_all(source)
    np.testing.assert_array_equal(np.concatenate([one.emg_TxC[:, 0] for one in found]), np.arange(30))
    assert [one.first for one in found] == [0, 10, 20]
    np.testing.assert_allclose(found[1].times, np.arange(10, 20) / 500)


def test_a_pipe_that_is_cut_off_within_a_packet_is_said_after_what_came(pipe):
    source = pipe(packet(0) + packet(10)[:60])
    assert len(source.read().emg_TxC) == 10
    with refused("damaged", "60 bytes"):
        source.read()
    assert source.read() is None


def test_what_is_no_packet_is_refused(pipe):
    with refused("bad-packet", "standard input"):
        pipe(b"time,left,right\n" * 10).describe()
    with refused("no-source"):
        pipe().describe()


def test_an_empty_packet_ends_the_stream(pipe):
    source = pipe(packet(0) + encode_packet(Packet(np.zeros((0, 1), np.float32), 500.0)) + packet(10))
    assert len(read_all(source)) == 1
