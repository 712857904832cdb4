#!/bin/sh
# An exec wrapper that starts the runtime with nothing of its environment.
exec env -i "$@"
