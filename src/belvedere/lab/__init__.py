"""Learning how a head is driven: phone logs, inference of frame layouts, scanning, inspecting, and probing of units."""
