"""The rules of place names as data."""
