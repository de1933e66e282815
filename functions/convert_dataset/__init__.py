"""Dataset uploaded: check it, split it, write it as Gemini tuning lines, report on it."""
