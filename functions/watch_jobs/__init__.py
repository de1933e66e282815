"""Scheduler tick: follow every open job, start queued ones, revive work whose event was lost."""
