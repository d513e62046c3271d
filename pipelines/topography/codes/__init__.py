"""Tables of what base topography is called, by which rows are judged."""
