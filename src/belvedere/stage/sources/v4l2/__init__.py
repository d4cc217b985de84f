"""Cameras and capture sticks as Linux offers them: Video4Linux, version 2 (V4L2)."""
