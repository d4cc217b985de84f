"""Draws the demo's room: `make room` paints it, and commits may change its picture."""
