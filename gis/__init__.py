"""The shared spatial core: coordinates, files, tables, the database. Imports nothing of ours."""
