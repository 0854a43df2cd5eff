"""How long a personalised run trains unless it is given other numbers; its learning rates: training.personal_config."""

STEPS, BATCH, PARTS = 300, 8, 10
"""steps, windows a step, and in how many parts validation divides the steps"""
