"""Belvedere: look around the home you left, and turn the camera as if you stood there."""

__version__ = "0.1.0"
