"""What is measured: one file for each subject, found by its name; see `benchmarks.measure`."""
