"""Every exec wrapper that is tried, and by what its work is seen to be done: a table.

The wrappers (`layer/wrappers/`) are of our own. They do what those of tracing and monitoring products do to a function:
they insert arguments behind the interpreter's name, put a handler of their own in front of the function's, run another
interpreter, or ignore what they were given; and they do it in several languages, with helpers, and with an environment,
a folder or a preloaded library of their own.
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
        runtime: Lambda's identifier.
        from_debian: whether the library is jemalloc as Debian has it, and not one of ours.
    """

    wrapper: str
    seen: Mapping[str, Any]
    handler: str = "app.handler"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    library: str = ""
    adapter: bool = False
    open: tuple[str, ...] = ()
    from_debian: bool = False
    runtime: str = "python3.13"


def _script(name: str, *, wrapped: str = "", **more: Any) -> Case:
    options = {key: more.pop(key) for key in ("handler", "library", "adapter", "open", "runtime") if key in more}
    return Case(f"{WRAPPERS}/{name}", {"wrapped": wrapped or name, **more}, **options)


CASES: Mapping[str, Case] = {
    # inserts arguments behind the interpreter's name
    "InsertOption": _script("insert-option", options={"wrapped": "yes"}),
    "InsertModule": _script("insert-module"),
    "InsertRequire": _script(
        "insert-require", hooked=True, options=["--require", "/opt/nodejs/hook.js"], runtime="nodejs22.x"
    ),
    "NodeOptions": _script("node-options", hooked=True, traced=True, runtime="nodejs22.x"),
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
    "UsersScript": _script("users-script", handler="run.sh", adapter=True, open=("read_handler",)),
    # other languages than bash, with and without helpers
    "PlainSh": _script("plain-sh"),
    "Env": Case("/usr/bin/env", {"wrapped": None}),
    "Helpers": _script("helpers", wrapped="helpers debug 2"),
    "HelpersPython": _script("helpers.py", wrapped="helpers.py python"),
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
        f"{WRAPPERS}/plain-sh",
        {"preloaded": [_JEMALLOC]},
        environment={"LD_PRELOAD": f"/opt/lib/{_JEMALLOC}"},
        from_debian=True,
    ),
    "LibraryPath": _script("library-path", host="interposed", library="own/libinterposing-by-name.so"),
}
