"""Teachers: loading, pairing with a student, and their outputs on disk."""
