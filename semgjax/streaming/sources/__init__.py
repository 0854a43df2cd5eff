"""Where live samples come from."""
