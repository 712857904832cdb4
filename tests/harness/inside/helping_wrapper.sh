#!/bin/sh
# An exec wrapper that runs programs of its own before it starts the runtime.
name=$(basename "$1")
echo "wrapped $name" | cat
exec "$@"
