# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Inserts into MongoDB and finds it, by the client's threads."""

import pymongo
from outcome import told


def use():
    with pymongo.MongoClient("mongodb.example", serverSelectionTimeoutMS=5000) as client:
        answers = client.shop.answers
        inserted = answers.insert_one({"answer": 42}).inserted_id
        return answers.find_one({"_id": inserted})["answer"]


handler = told(use)
