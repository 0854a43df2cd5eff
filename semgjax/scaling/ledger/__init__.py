"""Forecasts on record: written and hashed before a run, settled by its result, scored, and fed back into later fits."""
