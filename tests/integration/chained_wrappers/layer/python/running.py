"""`python3 -m running PROGRAM ARGUMENTS`: runs a script in this very process, after whatever it wants to do first."""

import runpy
import sys

sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
