# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Renders templates, with its cache of bytecode in a file."""

from jinja2 import DictLoader, Environment
from outcome import told

environment = Environment(loader=DictLoader({"page": "{% for each in range(3) %}{{ each }}{% endfor %}"}))


def use():
    return environment.get_template("page").render()


handler = told(use)
