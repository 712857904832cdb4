#!/bin/sh
# Starts the Python runtime client, through the function's exec wrapper if there is one, as Lambda's own bootstrap
# does: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
set -u
interpreter=$EMULATED_LAMBDA_INTERPRETER
unset EMULATED_LAMBDA_INTERPRETER

wrapper=${AWS_LAMBDA_EXEC_WRAPPER:-}
if [ -z "$wrapper" ]; then
    exec "$interpreter" -m awslambdaric "$_HANDLER"
fi
if [ ! -f "$wrapper" ]; then
    echo "$wrapper: does not exist" >&2
    exit 127
fi
if [ ! -x "$wrapper" ]; then
    echo "$wrapper: is not an executable" >&2
    exit 126
fi
exec "$wrapper" "$interpreter" -m awslambdaric "$_HANDLER"
