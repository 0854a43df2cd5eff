"""CTC and distillation."""
