"""H.264 from raw pictures, once for all viewers."""
