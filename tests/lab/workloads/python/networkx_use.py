# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Finds a shortest path."""

import networkx
from outcome import told


def use():
    return networkx.shortest_path(networkx.path_graph(5), 0, 4)


handler = told(use)
