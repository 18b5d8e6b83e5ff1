"""Writes the frame of a comparison as CSV, Parquet and Excel."""
