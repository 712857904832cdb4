"""Connects when it is imported."""

from importlib import import_module

import_module("dialler.client").Client("203.0.113.66").dial()
