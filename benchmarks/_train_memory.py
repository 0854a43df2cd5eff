"""Peak memory of a few training steps in a process of their own: `python -m benchmarks._train_memory SIDE PRESET`.

SIDE is ours or torch. Prints MB above what the process held once the library was loaded and the batch made.
"""

import resource
import sys

from benchmarks._train_sides import full, make_batch, our_step, torch_step


def peak_mb() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(side: str, name: str) -> None:
    """Run the steps, print the figure."""
    model = full(name)
    batch = make_batch(model)
    before = peak_mb()
    step = our_step(model, batch) if side == "ours" else torch_step(model, batch)
    for _ in range(2):
        step()
    print(peak_mb() - before)


if __name__ == "__main__":
    main(*sys.argv[1:])
