"""What the five functions agree on: words, records, prompts, ports. Nothing here imports them."""
