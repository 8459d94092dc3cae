"""BPost: a private messenger that anyone can host."""

__version__ = "1.0.0"
