"""The calls of the HTTP interface, one module per noun; each is thin over the packages it asks."""
