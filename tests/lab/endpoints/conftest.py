"""The core's table of AWS's endpoints, and what botocore resolves, once for all tests of a run."""

from __future__ import annotations

import botocore
import pytest

from lab.endpoints.aws import (
    HOME_REGIONS,
    SOME_REGIONS,
    SOURCES,
    Answers,
    Resolved,
    Table,
    ask_botocore,
    compile_c,
    every_region,
    every_service,
    some_services,
)
from shielded_function_runtime.build import aws_endpoints, aws_table

PROMISE = "outbound.aws-hosts"


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """The C core's table, compiled with traps for undefined behaviour."""
    library = tmp_path_factory.mktemp("aws") / "libaws.so"
    traps = ("-fsanitize=undefined", "-fsanitize-trap=undefined")
    compile_c("-O1", "-fPIC", "-shared", *traps, *map(str, SOURCES), out=library)
    return Table(library)


@pytest.fixture(scope="session")
def same_botocore() -> None:
    """Skips what compares the table with a botocore that it was not made from."""
    if aws_table.table_version() != botocore.__version__:
        pytest.skip(f"the table is of botocore {aws_table.table_version()}, installed is {botocore.__version__}")


@pytest.fixture(scope="session")
def answers(same_botocore: None) -> Answers:
    """What botocore resolves for some services, in a region of each partition and in some others."""
    return ask_botocore({*HOME_REGIONS.values(), *SOME_REGIONS}, some_services())


@pytest.fixture(scope="session")
def all_answers(same_botocore: None) -> Answers:
    """What botocore resolves in every region: a minute's work."""
    return ask_botocore({region.name for region in every_region()}, every_service())


@pytest.fixture(scope="session")
def resolved(same_botocore: None) -> Resolved:
    """What the generator makes of botocore."""
    return aws_endpoints.resolve()
