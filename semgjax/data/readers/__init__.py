"""Recordings as others store them: HDF5, BIDS (EDF, BDF), archives, emg2pose, any array."""
