"""Translates prompts and answers to and from each provider's wire format, one file each."""
