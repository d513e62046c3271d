"""Geocoding: from words to a place, and from a place to words."""
