"""Draws the demo's room, once and in a process of its own: nothing here is imported by the server."""
