"""From sessions to augmented windows and batches."""
