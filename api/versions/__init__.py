"""The versions of a snapshot that are kept, listed and gone back to."""
