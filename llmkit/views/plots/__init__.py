"""Plots the figures of a comparison."""
