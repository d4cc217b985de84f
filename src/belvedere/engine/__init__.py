"""Runs control against the links on a clock, and tells everyone."""
