"""Infers a head's frame layout from the values that its app wrote. Pure; its confidence never exceeds the evidence."""
