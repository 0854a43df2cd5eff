"""Pictures of fits and of what follows from them; `semgjax.scaling.plot` holds the size curve and writes files."""
