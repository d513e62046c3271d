"""Which component a case is about: found by distance, weighed by likelihood."""
