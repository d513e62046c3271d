"""Atoms as a graph: nodes with area and load, borders with length and price."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One piece of land as the partition sees it.

    Nodes ``0 … n-1`` are groups of atoms that must stay together; nodes ``n … n+k-1`` stand for what lies
    outside the land: one for each ring of its outline.
    """

    area_m2: Floats
    """Area of every node, m²; n values."""
    target_m2: Floats
    """Area that a grid should have there, m²; a grid should hold nodes whose
    areas over their targets add up to 1."""
    load: Floats
    """Components and whatever else is to be balanced, per node."""
    left: Indices
    """First node of every pair of neighbours; less than the second."""
    right: Indices
    """Second node; n and above: outside. Each pair comes once, sorted by (left, right)."""
    length_m: Floats
    """Length of the border between the two, m."""
    cost: Floats
    """What keeping that border as a grid border costs: sum of price x length / 100 m."""


def grid_targets(graph: Graph, label: Indices) -> Floats:
    """Return the area that each grid should have, m²: it lies between the targets of its nodes.

    `label` names the grid of every node, from 0.
    """
    area = np.bincount(label, graph.area_m2)
    targets: Floats = area / np.bincount(label, graph.area_m2 / graph.target_m2)
    return targets
