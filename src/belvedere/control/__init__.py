"""The fail-safe core: the camera never moves without somebody, right now, meaning it to. Pure: time is an argument."""
