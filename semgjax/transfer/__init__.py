"""Whether what is tuned on a small network suits a large one: coordinate check and best rates."""
