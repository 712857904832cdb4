# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Renders a template with its cache of bytecode in its usual place."""

from jinja2 import DictLoader, Environment, FileSystemBytecodeCache
from outcome import told


def use():
    cache = FileSystemBytecodeCache()
    environment = Environment(loader=DictLoader({"page": "{{ 6 * 7 }}"}), bytecode_cache=cache)
    return environment.get_template("page").render()


handler = told(use)
