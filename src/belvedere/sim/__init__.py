"""A room and a head that do not exist: for the demo, for tests and for measuring. Nothing here runs in production."""
