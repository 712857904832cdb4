"""The example of many functions is shielded and back: no deployment is refused, and each changes what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.checkout_app import synthesized
from harness.deploying import Account
from integration.examples.catalogue import FOLDER
from lab.deployed.in_moto import FunctionsInMoto
from lab.deployed.steps import FIRST_SEEN, NAME, SHIELDED, STEPS, deploy


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of the app without a shield."""
    return synthesized(tmp_path_factory, FOLDER / NAME, plain="yes").directory


@pytest.mark.long
def test_no_deployment_is_refused(tmp_path_factory: pytest.TempPathFactory, plain: Path) -> None:
    """From an app that is there to a shielded one, and back."""
    account = Account()
    account.deploy(plain)
    for step in STEPS:
        deploy(account, step, synthesized(tmp_path_factory, FOLDER / NAME, **step.context).directory)


@pytest.mark.long
def test_functions_in_moto_have_each_steps_variables(
    tmp_path_factory: pytest.TempPathFactory, plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever they had before, under the ARN that they had."""
    from moto import mock_aws  # slow to import, for every worker
    from moto.core.config import default_user_config

    monkeypatch.setitem(default_user_config.setdefault("lambda", {}), "use_docker", False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        moto = FunctionsInMoto()
        folders = [synthesized(tmp_path_factory, FOLDER / NAME, **step.context).directory for step in STEPS]
        for folder in (plain, *folders):
            found = moto.deploy(folder)
            assert len(found) >= SHIELDED - FIRST_SEEN
            for name, (variables, wanted) in found.items():
                assert variables.keys() == wanted.keys(), name
                assert {n: v for n, v in wanted.items() if isinstance(v, str)}.items() <= variables.items(), name
