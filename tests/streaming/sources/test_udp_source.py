"""Packets by UDP: in order, lost, late, from others, and the end."""

import socket

import numpy as np
import pytest

from semgjax.streaming.packets import Packet, encode_packet
from semgjax.streaming.sources.choose import open_source
from semgjax.streaming.timeline import Timeline
from tests.refused import refused


@pytest.fixture
def sender():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        yield made


def packet(first, count=10, channels=2, rate=1000.0):
    numbers = np.arange(first, first + count, dtype=np.float32)
    return encode_packet(Packet(np.repeat(numbers[:, None], channels, axis=1), rate, first))


END = encode_packet(Packet(np.zeros((0, 2), np.float32), 1000.0))


def received(sender, contents):
    source = open_source("udp:0")
    for content in contents:
        sender.sendto(content, ("127.0.0.1", source.port))
    line, placed = Timeline(source.describe()), []
    while (samples := source.read()) is not None:
        placed += line.place(samples)
    source.close()
    numbers = np.concatenate([np.where(one.valid_T, one.emg_TxC[:, 0], np.nan) for one in placed])
    return source, line, numbers


def test_packets_arrive_in_order_and_an_empty_one_ends(sender):
    source, line, numbers = received(sender, [packet(at) for at in range(0, 100, 10)] + [END])
    assert source.live and source.describe().rate == 1000.0
    np.testing.assert_array_equal(numbers, np.arange(100))


def test_packets_out_of_order_are_put_back(sender):
    _, line, numbers = received(sender, [packet(0), packet(20), packet(10), packet(30), END])
    np.testing.assert_array_equal(numbers, np.arange(40))
    assert (line.lost, line.late) == (0, 0)


def test_a_packet_that_never_comes_is_lost_samples(sender):
    _, line, numbers = received(sender, [packet(0), *(packet(at) for at in range(20, 200, 10)), END])
    assert np.isnan(numbers[10:20]).all() and np.isnan(numbers).sum() == line.lost == 10


def test_others_and_noise_are_ignored_and_counted(sender):
    source = open_source("udp:0")
    place = ("127.0.0.1", source.port)
    sender.sendto(b"hello", place)
    sender.sendto(packet(0), place)
    source.describe()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(packet(500), place)
    sender.sendto(packet(10), place)
    sender.sendto(END, place)
    numbers = []
    while (samples := source.read()) is not None:
        numbers += samples.emg_TxC[:, 0].tolist() if len(samples.emg_TxC) else []
    assert numbers == list(range(20))
    assert sorted(source.notes().values()) == [1, 1]
    source.close()


def test_another_kind_of_packet_within_a_stream_is_refused(sender):
    with refused("bad-packet", "3 channels", "after one of 2"):
        received(sender, [packet(0), packet(10, channels=3)])


def test_silence_and_a_taken_port_are_refused():
    source = open_source("udp:0", wait=0.2)
    with refused("no-source", "0.2 s"):
        source.describe()
    with refused("no-source", source.port):
        open_source(f"udp:{source.port}")
    source.close()
