"""Asks the public address of a house what visitors get there, and says what is wrong on the way to Belvedere."""
