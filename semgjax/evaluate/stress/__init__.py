"""Errors of a decoder on signals that are worse than those recorded: noise, hum, lost electrodes, turns, gaps."""
