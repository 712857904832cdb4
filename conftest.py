"""Before any test imports aws_cdk: a Node.js that jsii supports, so that plain `pytest` works like `make test`."""

from __future__ import annotations

import functools
import gc
import os
import runpy
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_node = runpy.run_path(str(Path(__file__).parent / "runtime_layer" / "shielded_function_emulator" / "node_program.py"))
os.environ.update(_node["environment_with"](_node["choose"]()))

# What `make native` compiled of zig's own libraries is there: musl alone takes a minute.
_zig_cache = str(Path(__file__).parent / ".zig-cache")
for _name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR"):
    os.environ.setdefault(_name, _zig_cache)

# The CDK looks at every template by its own rules, which takes longer than making it. Ours are held against cfn-lint.
os.environ.setdefault("CDK_VALIDATION", "false")

# jsonschema compiles 38 grammars for the format "iri", a second in each worker. No schema here has that format.
sys.modules["rfc3987_syntax"] = None  # pyright: ignore[reportArgumentType]

# A machine that is busy with other tests is slow, not wrong; and a fixture of ours holds nothing of an example.
_patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=25
)
# `make test` tries the same examples each time; `make test-long` others too, unless CI asks for the same.
settings.register_profile("short", _patient, derandomize=True)
settings.register_profile("long", _patient, max_examples=500, derandomize="SAME_EXAMPLES" in os.environ)
settings.load_profile("short")


# A file is handed to one worker as a whole. These take longest (half a minute and more), and few of them have many
# tests: begun last, one would keep the others waiting.
_LONGEST = (
    "lab/installed/test_reader.py",
    "integration/packaging/test_wheel.py",
    "runtimes/node/test_node.py",
    "integration/chained_wrappers/test_chained.py",
    "runtimes/java/test_java.py",
    "integration/engine/test_server_names.py",
    "integration/engine/test_midst.py",
    "integration/engine/test_replaced_sockets.py",
    "lab/fuzz/test_corpus.py",
    "lab/endpoints/test_aws.py",
    "integration/emulator/test_demo.py",
    "runtimes/python/test_versions.py",
    "security/cases/test_programs.py",
    "integration/alarm_chain/test_end_to_end.py",
    "security/cases/test_files.py",
    "lab/libcs/test_running.py",
    "runtimes/node/test_workers.py",
)


@pytest.fixture(scope="session", autouse=True)
def parsed_models() -> Iterator[None]:
    """botocore reads its folders and a service's model once for each session; in moto every test is one."""
    from botocore.loaders import JSONFileLoader
    from botocore.session import Session

    load = functools.lru_cache(maxsize=32)(functools.partial(JSONFileLoader.load_file, JSONFileLoader()))
    services = functools.lru_cache(Session().get_component("data_loader").list_available_services)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JSONFileLoader, "load_file", lambda _, file_path: load(file_path))
        patch.setattr("botocore.loaders.Loader.list_available_services", lambda _, type_name: services(type_name))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Where this machine gives no namespaces, the tests of a sandbox are skipped."""
    try:
        return (yield)
    except Exception as error:
        from shielded_function_emulator.sandbox import NamespacesMissing

        if isinstance(error, NamespacesMissing):
            pytest.skip(str(error))
        raise


pytest_runtest_call = pytest_runtest_setup


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collected tests stay to the end: the garbage collector does not search them, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from lab.arm64.limits import skip_what_cannot_be_tried  # tests/ is on the path by now

    skip_what_cannot_be_tried(items)
    ranks = {Path(__file__).parent / "tests" / name: rank for rank, name in enumerate(_LONGEST)}
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (ranks.get(item.path, len(ranks)), -tests[item.path]))
