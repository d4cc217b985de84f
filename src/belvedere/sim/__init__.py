"""A simulated room and a simulated head, for the demo, tests and benchmarks; not used with a real head and camera."""
