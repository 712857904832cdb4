# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Connects to MongoDB, where nobody listens, by its threads."""

import pymongo
from outcome import told


def use():
    client = pymongo.MongoClient("closed.example", serverSelectionTimeoutMS=2000)
    return client.admin.command("ping")


handler = told(use)
