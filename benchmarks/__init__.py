"""Ratios of semgjax against peers; a module here with a function `run` is a benchmark of `semgjax bench`."""
