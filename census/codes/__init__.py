"""Classes of components and events of three generations of the standards, as CSV with evidence."""
