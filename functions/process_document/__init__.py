"""Document arrived: read it, ask the champion, vote, write the answer or send it to review."""
