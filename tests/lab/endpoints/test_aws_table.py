"""How the AWS endpoint table is made: from botocore's data as it is, and from no label that nobody decided on.

And that its patterns are read as they are meant. All that needs what the generator makes of botocore is here: `make
test` hands a file to one worker, and to make it takes half a minute.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab.endpoints.aws import HOME_REGIONS, SOURCES, Resolved, Table, compile_c
from shielded_function_runtime.build import aws_endpoints, aws_labels, aws_table

# With test_aws.py: what both ask of botocore is worth asking once, in one worker.
pytestmark = [pytest.mark.promise("outbound.aws-hosts"), pytest.mark.xdist_group("aws")]


def test_services_are_botocores(table: Table, same_botocore: None) -> None:
    services = sorted(botocore.session.Session().get_available_services())
    assert [table.name(i) for i in range(len(services))] == services
    assert [table.index(service) for service in services] == list(range(len(services)))
    assert table.name(len(services)) == table.name(65535) == ""
    for unknown in ("", "s4", "S3", "s3 ", "s", "zzz", "\0", "execute-api"):
        with pytest.raises(KeyError):
            table.index(unknown)


@pytest.mark.long  # `make lint` asks the same
def test_the_table_is_what_botocore_gives(resolved: Resolved) -> None:
    assert aws_table.render(*resolved) == aws_table.TABLE.read_text(encoding="ascii")


@pytest.mark.long  # `make lint` checks the table
def test_check_tells_a_stale_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], resolved: Resolved
) -> None:
    monkeypatch.setattr(aws_table, "resolve", lambda: resolved)
    monkeypatch.setattr(aws_table, "TABLE", tmp_path / "aws_table.h")
    assert aws_table.main(["--check"]) == 1
    assert "run python -m shielded_function_runtime.build.aws_table" in capsys.readouterr().err
    assert aws_table.main([]) == 0
    assert aws_table.main(["--check"]) == 0


class _LoaderWithNewLabel:
    """botocore's data, but SQS has got a label that nobody has decided on."""

    def __init__(self, loader: Any, template: str) -> None:
        self._loader = loader
        self._template = template

    def load_data(self, name: str) -> Any:
        return self._loader.load_data(name)

    def list_available_services(self, type_name: str) -> list[str]:
        return ["sqs"]

    def load_service_model(self, service: str, type_name: str) -> Any:
        data = self._loader.load_service_model(service, type_name)
        if type_name != "endpoint-rule-set-1":
            return data
        rule = {"type": "endpoint", "conditions": [], "endpoint": {"url": self._template}}
        return {**data, "rules": [*data["rules"], rule]}


def test_a_new_label_needs_a_decision() -> None:
    loader = botocore.session.Session().get_component("data_loader")
    fine = "https://sqs.{Region}.{PartitionResult#dnsSuffix}"
    partitions, patterns = aws_endpoints.resolve(_LoaderWithNewLabel(loader, fine))
    assert len(partitions) == len(HOME_REGIONS)
    assert patterns["sqs.R.D"]["aws"] == {"sqs"}
    with pytest.raises(aws_labels.UnknownLabelError, match="QueueOwner; decide on it in PROBES or DECLINED"):
        aws_endpoints.resolve(_LoaderWithNewLabel(loader, "https://{QueueOwner}.sqs.{Region}.amazonaws.com"))


def test_fits_its_budget(tmp_path: Path) -> None:
    """Of the whole library (test_binaries.py), this much may be the table and its reader. What lists all hosts of
    a region is in it too; only the core for Python keeps that."""
    flags = ("-target", "x86_64-linux-gnu", "-O2", "-g0", "-ffreestanding", "-fno-sanitize=all", "-fPIC")
    compile_c(*flags, "-c", str(SOURCES[0]), out=tmp_path / "aws.o")
    assert (tmp_path / "aws.o").stat().st_size < 28 * 1024


_TOKENS = {
    "L": "[a-z0-9-]{1,63}",
    "A": "[0-9]{12}",
    "C": "[0-9]{1,4}",
    "Z": "s3express-[a-z0-9-]+-az[0-9]+",
    "B": "(?=[a-z0-9.-]{3,63}[.]s3)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:[.][a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*",
    "H": "",
}


@pytest.fixture(scope="session")
def model(resolved: Resolved) -> re.Pattern[str]:
    """The patterns of us-east-1 as one regular expression: another reading of them than the C's."""
    place = {"R": "us-east-1", "G": "us-east-1", "D": "amazonaws[.]com", "U": "api[.]aws", "P": "aws-global"}
    readings = {**_TOKENS, **place, ".": "[.]"}
    wanted = (p for p, by in resolved[1].items() if "aws" in by)
    return re.compile("|".join("".join(readings.get(c, c) for c in pattern) for pattern in wanted))


_SEEDS = [
    "bucket.s3.us-east-1.amazonaws.com",
    "my.bucket.s3-fips.dualstack.us-east-1.amazonaws.com",
    "point-123456789012.s3-accesspoint.us-east-1.amazonaws.com",
    "b--use1-az4--x-s3.s3express-use1-az4.us-east-1.amazonaws.com",
    "123456789012.ddb.us-east-1.api.aws",
    "ingest-cell12.timestream.us-east-1.amazonaws.com",
    "runtime-fips.sagemaker.us-east-1.amazonaws.com",
    "iam-fips.global.api.aws",
    "io-cell002.s3-object-lambda.us-east-1.amazonaws.com",
    "us-east-1.signin.aws.amazon.com",
    "sqs.us-east-1.amazonaws.com",
]
_PIECES = ["", ".", "-", "a", "z", "0", "9", "_", "A", "s3", "-fips", "us-east-1", "eu-west-1", "amazonaws.com", "xn--"]


@pytest.mark.long  # asks botocore for every endpoint, which takes twenty seconds
@given(
    st.sampled_from(_SEEDS),
    st.lists(st.tuples(st.integers(0, 70), st.integers(0, 12), st.sampled_from(_PIECES)), max_size=3),
)
@example("bucket.s3.us-east-1.amazonaws.com", [(0, 4, "")])
def test_reads_patterns_as_a_regular_expression_does(
    table: Table, model: re.Pattern[str], seed: str, edits: list[tuple[int, int, str]]
) -> None:
    host = seed
    for at, cut, piece in edits:
        host = host[:at] + piece + host[at + cut :]
    assert table.admits(host, "us-east-1") is bool(model.fullmatch(host)), host
