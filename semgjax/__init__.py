"""semgjax: scaling laws and distillation for surface-EMG decoders, in JAX."""

__version__ = "0.1.0"
