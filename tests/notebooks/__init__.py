"""The notebooks that are shipped, as files and executed."""
