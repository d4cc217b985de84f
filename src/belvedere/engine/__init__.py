"""Runs the control core against the links on a clock, and publishes what happens."""
