"""Installing Belvedere as a service of systemd: its files, the plan as a list of steps, and their execution."""
