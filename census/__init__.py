"""Components: taxonomy, survey checks, ownership. Imports only gis."""
