"""Division of a city into unit grids 单元网格. Imports only gis."""
