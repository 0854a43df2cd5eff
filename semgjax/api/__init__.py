"""What `import semgjax` offers: signals, models, runs, laws, comparisons and decisions."""
