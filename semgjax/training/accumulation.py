"""Into how many parts a step splits its batch: gradient accumulation, for memory or for the CPU's cache."""

from semgjax.parallel.mesh import AnyMesh, platform_of
from semgjax.training.run_config import RunConfig

_SAMPLES = 20480  # of a part on a CPU, all its rows together


def parts_of(config: RunConfig, mesh: AnyMesh, lanes: int | None = None) -> int:
    """Parts of a batch: `train.accumulate`, times more on a CPU until the numbers of a part fit a core's cache.

    Activations of a few windows stay in the cache, those of a whole batch do not: parts of about 10 s of signal take
    two thirds to nine tenths of the time of whole batches (docs/log.md). The front end, at the rate of the signal,
    fills the cache, whatever the stride of the frames. Each row's randomness is independent of its part, so results
    differ only by rounding.

    Args:
        lanes: packed runs per device, all computed together; None for a run over all devices.
    """
    count = config.train.accumulate
    if platform_of(mesh) != "cpu":
        return count
    rows = config.train.batch // count // (mesh.size if lanes is None else 1)
    samples = (lanes or 1) * config.window.total
    divisors = [number for number in range(1, rows + 1) if rows % number == 0]
    return count * next((number for number in divisors if rows // number * samples <= _SAMPLES), rows)
