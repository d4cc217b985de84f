"""What we measure, against whom, and what runs for long."""
