# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Groups a table by threads."""

import polars
from outcome import told


def use():
    table = polars.DataFrame({"kind": ["a", "b"] * 5000, "value": range(10000)})
    return table.lazy().group_by("kind").agg(polars.col("value").sum()).sort("kind").collect().rows()


handler = told(use)
