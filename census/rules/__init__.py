"""The rule catalogue of the component census as data: one CSV per subject."""
