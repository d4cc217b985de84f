"""Looks a computer over for everything that Belvedere needs, and says what is missing and how to mend it."""
