"""The composition root: reads the settings, builds the parts, and lives and dies with them."""
