"""Other ways a Python user could send the same drip, each run with what it ships. See `bench.drips`."""
