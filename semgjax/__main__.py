"""`python -m semgjax` is the command `semgjax`."""

from semgjax.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
