"""Data that must survive a restart, in one SQLite file."""
