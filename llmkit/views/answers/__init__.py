"""Answers as HTML: cards, their layout, differences and Markdown."""
