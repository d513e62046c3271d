"""The rules of base topography as data."""
