"""Decisions from a fitted law: what to build, what to record, what to train next."""
