"""The panels of the notebook, each one painting what the floors below say."""
