"""What is wrong with sessions, before training finds out."""
