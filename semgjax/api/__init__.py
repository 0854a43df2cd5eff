"""What `import semgjax` offers, in four small modules: signals, models, runs and laws."""
