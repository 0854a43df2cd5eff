"""Error rates of whole sessions."""
