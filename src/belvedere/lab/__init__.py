"""Learning a head: reading a phone's log, telling what its frames mean, looking at units, and trying them with care."""
