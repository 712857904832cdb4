# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Logs through its own thread, with a traceback."""

import sys

from loguru import logger
from outcome import told

logger.remove()
logger.add(sys.stderr, backtrace=True, diagnose=True)


def use():
    try:
        raise ValueError("for the log")
    except ValueError:
        logger.exception("failed")
    return "logged"


handler = told(use)
