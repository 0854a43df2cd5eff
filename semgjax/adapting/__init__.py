"""Adaptation of a decoder to one person from that person's signal, without labels."""
