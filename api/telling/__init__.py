"""What is told of decisions: one case in full with its trace, or many as a table."""
