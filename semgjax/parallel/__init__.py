"""Devices, processes and how a state is split over them."""
