"""The single checks of a layer of unit grids; `gridding.checks` runs them all."""
