"""Contains the subjects of measurement, one file each, found by name; see `benchmarks.measure`."""
