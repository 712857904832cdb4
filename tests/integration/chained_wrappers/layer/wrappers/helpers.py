#!/usr/bin/env python3
"""Asks a program first, and starts the runtime instead of itself."""

import os
import subprocess
import sys

name = subprocess.run(["basename", sys.argv[1]], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
os.execve(sys.argv[1], sys.argv[1:], {**os.environ, "WRAPPED_BY": f"helpers.py {name[:6]}"})
