"""Position accuracy of a census: a random sample for the field, and what re-measuring it shows."""
