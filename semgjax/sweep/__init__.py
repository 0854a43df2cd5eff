"""Many trials: the plan, the engines that run them, one table of results."""
