# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Groups a table, and writes it as CSV."""

import pandas
from outcome import told


def use():
    table = pandas.DataFrame({"kind": list("aabb"), "value": [1, 2, 3, 4], "at": pandas.date_range("2026", periods=4)})
    return table.groupby("kind").value.sum().to_csv(), str(table["at"].dt.tz_localize("Europe/Berlin").iloc[0])


handler = told(use)
