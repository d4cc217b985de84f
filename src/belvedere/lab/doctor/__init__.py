"""Checks a computer for everything that Belvedere needs, and says what is missing and how to fix it."""
