"""The grid atlas 图集: every community's unit grids as pages to print, in one PDF."""
