"""`python -m shielded_function.cli`, the same as the command `shielded-function`."""

from __future__ import annotations

from . import main

main()
