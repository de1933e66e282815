"""Text encodings: which one a text is in, and the text as UTF-8. Nothing is guessed in silence."""
