#!/bin/bash
# The user's own program: a web server, to which an adapter outside brings the events.
cd "$LAMBDA_TASK_ROOT" || exit 1
exec python3 server.py
