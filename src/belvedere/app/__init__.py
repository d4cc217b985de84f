"""The composition root: reads the settings, creates the parts, runs them, and shuts them down."""
