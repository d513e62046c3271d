"""Answers from the snapshot: grid, component, owner, reason. Imports gis, gridding, census."""
