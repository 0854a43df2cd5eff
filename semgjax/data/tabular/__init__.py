"""Recordings as tables: delimited text, .npy, .npz and .mat files, described by a semgjax.toml beside them."""
