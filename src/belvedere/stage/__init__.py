"""Camera to viewer: one encoder, a hub, and WebRTC connections that pass its packets through."""
