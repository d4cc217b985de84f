"""A WebRTC connection to each viewer, answered by WHEP. Only this package imports aiortc."""
