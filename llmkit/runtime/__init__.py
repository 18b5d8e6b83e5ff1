"""Everything that has a clock, a socket, an environment or a disk."""
