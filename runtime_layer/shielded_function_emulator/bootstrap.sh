#!/bin/sh
# Starts a runtime client, through the function's exec wrapper if there is one, as Lambda's own bootstrap does:
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
# The command is words without quotes. -f keeps the shell from expanding the asterisk of Java's class path.
set -uf
set -- $EMULATED_LAMBDA_COMMAND "$_HANDLER"
unset EMULATED_LAMBDA_COMMAND

wrapper=${AWS_LAMBDA_EXEC_WRAPPER:-}
if [ -z "$wrapper" ]; then
    exec "$@"
fi
if [ ! -f "$wrapper" ]; then
    echo "$wrapper: does not exist" >&2
    exit 127
fi
if [ ! -x "$wrapper" ]; then
    echo "$wrapper: is not an executable" >&2
    exit 126
fi
exec "$wrapper" "$@"
