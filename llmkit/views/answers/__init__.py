"""Renders answers as HTML and text: cards, layout, differences and Markdown."""
