"""Reads a document: one format a file, told by content; what could hang or explode, in a child."""
