# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Writes a Delta table below /tmp, adds to it, and reads it."""

import pyarrow
from deltalake import DeltaTable, write_deltalake
from outcome import told

TABLE = "/tmp/delta"


def use():
    write_deltalake(TABLE, pyarrow.table({"a": [1, 2]}), mode="overwrite")
    write_deltalake(TABLE, pyarrow.table({"a": [3]}), mode="append")
    return DeltaTable(TABLE).to_pyarrow_table().num_rows


handler = told(use)
