"""Learns how a unit is driven by small trial moves, each followed by a stop, while an observer watches."""
