"""Peak memory of a few training steps in a process of their own: `python -m benchmarks._train_memory SIDE PRESET`.

SIDE is ours or torch. Prints MB above what the process held once the library was loaded and the batch made.
"""

import sys

from benchmarks._random_batch import ROWS, make_batch
from benchmarks._train_sides import full, our_step, torch_step
from semgjax.parallel.cores import use_cores
from semgjax.training.memory import peak_bytes


def main(side: str, name: str) -> None:
    """Run the steps, print the figure."""
    use_cores(ROWS)
    model = full(name)
    batch = make_batch(model)
    before = peak_bytes()
    step = our_step(model, batch) if side == "ours" else torch_step(model, batch)
    for _ in range(2):
        step()
    print((peak_bytes() - before) / 1e6)


if __name__ == "__main__":
    main(*sys.argv[1:])
