"""Retries failed requests and limits how many run at once."""
