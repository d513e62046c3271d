"""Where a case is: sightings put together, and everything at a place that a row of the plan can name."""
