"""What a text is: words, or random characters."""
