# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Trains a model, and predicts; its log goes where there is room."""

from catboost import CatBoostRegressor
from outcome import told


def use():
    model = CatBoostRegressor(iterations=5, thread_count=2, train_dir="/tmp/catboost_info", verbose=False)
    model.fit([[1], [2], [3], [4]], [1, 2, 3, 4])
    return len(model.predict([[2], [3]]))


handler = told(use)
