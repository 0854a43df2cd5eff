"""The whole pipeline on simulated sessions."""
