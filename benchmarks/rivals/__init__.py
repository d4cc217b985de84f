"""What others do, written small and honestly: the ways that Belvedere is compared with."""
