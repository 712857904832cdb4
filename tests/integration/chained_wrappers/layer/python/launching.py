"""`python3 -m launching PROGRAM ARGUMENTS`: starts a program instead of itself, with the environment that it wants."""

import os
import sys

os.environ["PYTHONPATH"] = os.pathsep.join(["/opt/python", os.environ.get("PYTHONPATH", "")])
os.execv(sys.argv[1], sys.argv[1:])
