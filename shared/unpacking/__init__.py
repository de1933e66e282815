"""Packed files, opened within limits: a small file may claim to hold terabytes."""
