"""Every exec wrapper that is tried, and by what its work is seen to be done: a table.

The wrappers are of our own. They do what those of tracing and monitoring products do to a function: they insert
arguments behind the interpreter's name, put a handler of their own in front of the function's, run another interpreter,
or ignore what they were given; and they do it in several languages, with helpers, and with an environment, a folder or
a preloaded library of their own. What they start is in `layer/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WRAPPERS = "/opt/wrappers"
_JEMALLOC = "libjemalloc.so.2"
OWN_INTERPRETER = "/opt/interpreter/bin/python3"
_PYTHON = "#!/usr/bin/env python3\nimport os, sys\n"
_TRACING = "export {0}=$_HANDLER _HANDLER=tracing.handler"
_NEEDED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_RUNTIME_API")

# Name: a wrapper's text; what is no script by its first line is bash's, and sets WRAPPED_BY to its own name.
SCRIPTS: Mapping[str, str] = {
    "insert-option": 'program=$1; shift; exec "$program" -X wrapped=yes "$@"',
    # A module runs the runtime's module in the same process.
    "insert-module": 'program=$1; shift; exec "$program" -m running "$@"',
    # A Python program between the shell and the runtime.
    "launch-by-module": _TRACING.format("ORIG_HANDLER") + '; exec python3 -m launching "$@"',
    **{
        f"change-handler-{name.lower().replace('_', '-')}": _TRACING.format(name) + '; exec "$@"'
        for name in ("ORIG_HANDLER", "DD_LAMBDA_HANDLER", "NEW_RELIC_LAMBDA_HANDLER")
    },
    "own-interpreter": f'shift; export PYTHONHOME=/var/lang; exec {OWN_INTERPRETER} "$@"',
    "interpreter-on-path": 'shift; exec python3 "$@"',
    "users-script": 'exec -- "${LAMBDA_TASK_ROOT}/${_HANDLER}"',
    "plain-sh": '#!/bin/sh\nWRAPPED_BY=plain-sh exec "$@"',
    # What wrapper scripts run before they start the runtime: pipes, sub-shells, here-documents, other programs.
    "helpers": """
here=$(cd "$(dirname "$0")" && pwd)
level=$(echo "DEBUG" | tr '[:upper:]' '[:lower:]')
count=$(ls "$here" | grep -c helpers)
said=$(cat <<END
$level
END
)
read -r first < <(head -n 1 /etc/resolv.conf)
target=$(readlink /tmp/.account 2>/dev/null || true)
for file in /opt/missing.so "$here/helpers"; do [ -f "$file" ] && found=$(basename "$file"); done
export WRAPPED_BY="$found $said $count${target}"
[ -n "$first" ] && exec "$@"
""",
    # Starts the runtime as a child of a shell, and stays in front of it.
    "system.py": _PYTHON
    + 'os.environ.update(WRAPPED_BY="system.py", ORIG_HANDLER=os.environ["_HANDLER"], _HANDLER="tracing.handler")\n'
    + 'sys.exit(os.waitstatus_to_exitcode(os.system(" ".join(sys.argv[1:]))))',
    "first-of-two": 'export FIRST=first; exec /opt/wrappers/second-of-two.py "$@"',
    "second-of-two.py": _PYTHON
    + 'os.environ["WRAPPED_BY"] = f"{os.environ[\'FIRST\']} second"\nos.execv(sys.argv[1], sys.argv[1:])',
    # Starts the runtime with what it needs, and nothing else.
    "clear-environment": f'exec env -i {" ".join(f"""{name}="${name}" """ for name in ("WRAPPED_BY", *_NEEDED))} "$@"',
    "change-directory": f'cd {WRAPPERS} || exit 1; export WRAPPED_BY="change-directory $(ls plain-sh)"; exec "$@"',
    "preload": 'export LD_PRELOAD=/opt/lib/interposing.so; exec "$@"',
    # The same, beside what is there, separated as the loader also has it.
    "preload-with-spaces": 'export LD_PRELOAD="$LD_PRELOAD /opt/lib/interposing.so"; exec "$@"',
    # A library that the preloaded one does not bring.
    "library-path": "export LD_LIBRARY_PATH=/opt/lib/own:$LD_LIBRARY_PATH LD_PRELOAD=libinterposing-by-name.so\n"
    'exec "$@"',
}


def write_scripts(into: Path) -> None:
    """The wrappers, as files that may be run."""
    into.mkdir()
    for name, text in SCRIPTS.items():
        path = into / name
        path.write_text(f"{text}\n" if text[:2] == "#!" else f"#!/bin/bash\nexport WRAPPED_BY={name}\n{text}\n")
        path.chmod(0o755)


@dataclass(frozen=True)
class Case:
    """One function that has a wrapper.

    Attributes:
        wrapper: AWS_LAMBDA_EXEC_WRAPPER as its owner set it; empty: there is none.
        seen: what the handler finds when the wrapper did its work.
        handler: of the template.
        environment: further variables of the template.
        library: a preloaded library that the case is about, by its name in the layer.
        adapter: whether the extension is there that asks for work in the function's place.
        open: policies that do not hold behind it.
    """

    wrapper: str
    seen: Mapping[str, Any]
    handler: str = "app.handler"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    library: str = ""
    adapter: bool = False
    open: tuple[str, ...] = ()


def _script(name: str, *, wrapped: str = "", **more: Any) -> Case:
    options = {key: more.pop(key) for key in ("handler", "library", "adapter", "open") if key in more}
    return Case(f"{WRAPPERS}/{name}", {"wrapped": wrapped or name, **more}, **options)


CASES: Mapping[str, Case] = {
    # inserts arguments behind the interpreter's name
    "InsertOption": _script("insert-option", options={"wrapped": "yes"}),
    "InsertModule": _script("insert-module"),
    "LaunchByModule": _script("launch-by-module", traced=True),
    # puts a handler of its own in front
    "OrigHandler": _script("change-handler-orig-handler", traced=True),
    "DdLambdaHandler": _script("change-handler-dd-lambda-handler", traced=True),
    "NewRelicLambdaHandler": _script("change-handler-new-relic-lambda-handler", traced=True),
    "HandlerOfTheTemplate": Case(
        "", {"traced": True}, handler="tracing.handler", environment={"NEW_RELIC_LAMBDA_HANDLER": "app.handler"}
    ),
    # runs another interpreter
    "OwnInterpreter": _script("own-interpreter", program=OWN_INTERPRETER),
    "InterpreterOnPath": _script("interpreter-on-path"),
    # ignores what it was given; the process never asks for work, which is the moment that read_handler waits for
    "UsersScript": _script("users-script", handler="server.py", adapter=True, open=("read_handler",)),
    # other languages than bash, with and without helpers
    "PlainSh": _script("plain-sh"),
    "Env": Case("/usr/bin/env", {"wrapped": None}),
    "Helpers": _script("helpers", wrapped="helpers debug 1"),
    "SystemPython": _script("system.py", traced=True),
    "TwoInARow": _script("first-of-two", wrapped="first second"),
    # an environment of its own
    "ClearEnvironment": _script("clear-environment"),
    "ChangeDirectory": _script("change-directory", wrapped="change-directory plain-sh", directory=WRAPPERS),
    "Preload": _script("preload", host="interposed", library="interposing.so"),
    "PreloadWithSpaces": _script("preload-with-spaces", host="interposed", library="interposing.so"),
    "PreloadOfTheTemplate": Case(
        f"{WRAPPERS}/plain-sh",
        {"wrapped": "plain-sh", "host": "interposed"},
        environment={"LD_PRELOAD": "/opt/lib/interposing.so"},
        library="interposing.so",
    ),
    "Allocator": Case(
        f"{WRAPPERS}/plain-sh", {"preloaded": [_JEMALLOC]}, environment={"LD_PRELOAD": f"/opt/lib/{_JEMALLOC}"}
    ),
    "LibraryPath": _script("library-path", host="interposed", library="own/libinterposing-by-name.so"),
}
