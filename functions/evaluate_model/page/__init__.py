"""Draws a verdict, and a task's index. It computes nothing that is a figure."""
