"""Contains the tools of developers, which are not part of the package."""
