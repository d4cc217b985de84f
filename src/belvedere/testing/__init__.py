"""Doubles and rigs that we ship, so that a new adapter or client can be tested as ours are."""
