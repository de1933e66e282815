"""Tuning requested: plan the sweep, price it, record the run and its jobs, start what fits."""
