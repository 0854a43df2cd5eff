"""What a live stream was like, in the end."""

from dataclasses import dataclass
from typing import Any

from semgjax.errors import SemgjaxError


@dataclass(frozen=True)
class LiveSummary:
    """Counts and times of a stream.

    Attributes:
        seconds: of signal, lost samples too.
        keys: keys, or events of other classes.
        forced: keys that a beam search made final while its hypotheses still differed (`BeamText`).
        frames: of the network.
        ended: why.
        latency_ms: median and 99th percentile from the arrival of the newest sample of a frame to its text; None for a
            source that is read as fast as it is decoded.
        step_ms: median and 99th percentile of the work for the frames that are decoded at once: network, search, text.
        real_time_factor: time of all work over seconds of signal.
        lost: samples that never came; `gaps` are their stretches.
        spoilt: samples that came with values that are not finite, or larger than any signal's.
        late: samples that came after they had counted as lost, or twice.
        skipped: samples that were recorded, but not decoded, as decoding was too slow.
        restarts: how often the stream began anew: after a long gap, or with another count of the device.
        behind: largest number of seconds that waited to be decoded.
        rate: samples a second by the host's clock, measured; None for too short a stream.
        rate_doubt: its standard error.
        clock_ppm: what the device's clock gains on the host's, parts in a million; None without times.
        resampling_ms: by which resampling delays the text.
        ignored: what the source left out: reason -> how often.
        error: what ended the stream, or its recording, before its end.
    """

    seconds: float
    keys: int
    forced: int
    frames: int
    ended: str
    latency_ms: tuple[float, float] | None
    step_ms: tuple[float, float] | None
    real_time_factor: float
    lost: int
    gaps: int
    spoilt: int
    late: int
    skipped: int
    restarts: int
    behind: float
    rate: float | None
    rate_doubt: float | None
    clock_ppm: float | None
    resampling_ms: float
    ignored: dict[str, int]
    error: SemgjaxError | None = None

    @property
    def dropped(self) -> int:
        """Samples that did not reach the decoder."""
        return self.lost + self.spoilt + self.skipped

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        body = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "error"}
        for name in ("latency_ms", "step_ms"):
            pair = body[name]
            body[name] = None if pair is None else {"median": pair[0], "p99": pair[1]}
        error = None if self.error is None else {"code": self.error.code, "message": str(self.error)}
        return body | {"dropped": self.dropped, "error": error}

    def lines(self, things: str = "keys") -> list[str]:
        """For people."""
        found = [
            f"{self.seconds:.1f} s, {self.keys} {things}; {self.ended}",
            f"dropped: {self.dropped} samples ({self.gaps} gaps of {self.lost}, {self.spoilt} unusable, "
            f"{self.skipped} not decoded)",
        ]
        if self.latency_ms is not None:
            median, high = self.latency_ms
            found.append(f"latency: median {median:.1f} ms, p99 {high:.1f} ms")
        if self.step_ms is not None:
            median, high = self.step_ms
            factor = self.real_time_factor
            found.append(f"step: median {median:.2f} ms, p99 {high:.2f} ms; real-time factor {factor:.3f}")
        if self.rate is not None and self.rate_doubt is not None:
            found.append(f"rate: {self.rate:.2f} samples a second, give or take {2 * self.rate_doubt:.2f}")
        if self.clock_ppm is not None:
            found.append(f"clock: the device's gains {self.clock_ppm:+.0f} ppm")
        if self.resampling_ms:
            found.append(f"resampling delays the text by {self.resampling_ms:.1f} ms")
        if self.behind > 1.0:
            found.append(f"decoding lagged behind by up to {self.behind:.1f} s")
        if self.forced:
            found.append(f"forced: {self.forced} {things} became final while hypotheses still differed")
        if self.late:
            found.append(f"late: {self.late} samples came too late or twice")
        if self.restarts:
            found.append(f"restarts: the stream began anew {self.restarts} times")
        found += [f"ignored: {count} {name}" for name, count in self.ignored.items()]
        return found
