"""Files that start a sweep's trials elsewhere, one module per target; `python -m launch.TARGET --help`."""
