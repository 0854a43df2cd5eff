"""One run, from configuration to result, and packs of runs."""
