"""In how many parts a step works its batch off, by the memory or the cache there is. Writes nothing."""

from semgjax.parallel.mesh import AnyMesh, platform_of
from semgjax.training.run_config import RunConfig

_SAMPLES = 20480  # of a part on a CPU, all its rows together


def parts_of(config: RunConfig, mesh: AnyMesh, lanes: int | None = None) -> int:
    """`train.accumulate`, and on a CPU so many more that what a part computes stays in a core's cache.

    Numbers of a few windows are read again from the cache that all numbers of a batch would push out: parts of about
    10 s of signal take two thirds to nine tenths of the time of whole batches (docs/log.md). It is the front end, at
    the rate of the signal, that fills the cache, whatever the stride of the frames. Rows' randomness does not depend on
    their part; only rounding does.

    Args:
        lanes: packed runs of a device, each whole on it and all computed together; none for a run over all devices.
    """
    count = config.train.accumulate
    if platform_of(mesh) != "cpu":
        return count
    rows = config.train.batch // count // (mesh.size if lanes is None else 1)
    samples = (lanes or 1) * config.window.total
    divisors = [number for number in range(1, rows + 1) if rows % number == 0]
    return count * next((number for number in divisors if rows // number * samples <= _SAMPLES), rows)
