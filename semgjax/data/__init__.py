"""Sessions, keys and what is made of them."""
