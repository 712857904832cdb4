# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Reads and writes YAML, by libyaml."""

import yaml
from outcome import told


def use():
    return yaml.dump(yaml.load("a: [1, 2]", yaml.CSafeLoader), Dumper=yaml.CSafeDumper)


handler = told(use)
