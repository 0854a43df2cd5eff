"""Settings for all tests, made before anything imports jax or matplotlib; subprocesses inherit them."""

import os

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
