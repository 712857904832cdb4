#!/usr/bin/env python3
"""Is started by another wrapper."""

import os
import sys

os.environ["WRAPPED_BY"] = f"{os.environ['FIRST']} second"
os.execv(sys.argv[1], sys.argv[1:])
