"""Connected components of a graph, by hooking and pointer jumping over whole arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def label_components(nodes: int, left: Integers, right: Integers) -> Integers:
    """Return for each node the smallest node of its component.

    `nodes` is their number, 0 … nodes-1; `left` and `right` are the ends of the edges, of equal length.
    Order and repetition of edges do not matter. O((nodes + edges) · log nodes) in practice: the
    stochastic hooking of FastSV (Zhang, Azad, Hu 2020), here with the smallest label winning.
    """
    parent: Integers = np.arange(nodes, dtype=np.int64)
    if len(left) == 0:
        return parent
    while True:
        grand = parent[parent]
        before = grand.copy()
        left_grand, right_grand = grand[left], grand[right]
        smaller = np.minimum(left_grand, right_grand)
        # Hook each end's parent, and the end itself, under the smaller grandparent seen across an edge.
        np.minimum.at(parent, parent[left], smaller)
        np.minimum.at(parent, parent[right], smaller)
        np.minimum.at(parent, left, smaller)
        np.minimum.at(parent, right, smaller)
        np.minimum(parent, grand, out=parent)
        if np.array_equal(before, parent[parent]) and np.array_equal(parent, parent[parent]):
            return parent
