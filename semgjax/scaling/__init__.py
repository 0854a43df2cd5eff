"""Scaling laws on any table of results: read it, fit a law, predict with an interval, draw the curve."""
