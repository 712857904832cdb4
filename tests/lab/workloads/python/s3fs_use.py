# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Writes and reads a file of S3, asynchronously below."""

import s3fs
from outcome import told


def use():
    files = s3fs.S3FileSystem()
    if not files.exists("workloads"):
        files.mkdir("workloads")
    with files.open("workloads/file", "wb") as file:
        file.write(b"content")
    return files.cat("workloads/file").decode()


handler = told(use)
