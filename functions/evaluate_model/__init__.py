"""Dataset converted or job ended: measure every candidate on the same rows, decide, promote."""
