"""What the room is told: the visit book, and a chime and a light that announce visitors."""
