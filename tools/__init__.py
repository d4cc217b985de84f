"""What makes files that are committed: run by hand, and no part of the package."""
