"""Personalisation: from a finished decoder and a person's first minutes, a decoder of that person."""
