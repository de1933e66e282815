"""From stored bytes to what formats read: packing, encodings, and the ways to write records."""
