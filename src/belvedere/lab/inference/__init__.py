"""Learning how a head's frames are laid out from values that its app wrote; pure, and never more sure than the data."""
