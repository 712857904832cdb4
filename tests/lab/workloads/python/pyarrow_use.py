# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Writes a table as Parquet, and reads it, by threads."""

import io

import pyarrow
import pyarrow.parquet
from outcome import told


def use():
    table = pyarrow.table({"number": list(range(1000)), "text": [str(each) for each in range(1000)]})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, compression="zstd")
    file.seek(0)
    return pyarrow.parquet.read_table(file).num_rows


handler = told(use)
