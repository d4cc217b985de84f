"""What a head is: axes, profiles, and the bytes that mean a velocity. Pure: no clock, no network, no files opened."""
