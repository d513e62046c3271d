"""Other grids than unit grids: management grids 管理网格 of a trade, and evaluation grids 评价网格.

Both are sets of unit grids: delivered and judged, or balanced by load, and carried along when the
unit grids under them change.
"""
