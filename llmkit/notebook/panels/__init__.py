"""The panels of the notebook."""
