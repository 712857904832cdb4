"""The apps that are deployed: one line each. A folder of `examples/` that is in no line fails a test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from integration.examples import catalogue

HERE = Path(__file__).parent
EXAMPLES_FOLDER = catalogue.FOLDER


@dataclass(frozen=True)
class Example:
    """A CDK app.

    Attributes:
        folder: where its cdk.json is.
        change: a context setting (`name=value`) that changes the template, for `cdk diff` and a second deployment;
            without one, neither is tried.
    """

    folder: Path
    change: str | None = None

    @property
    def name(self) -> str:
        """Its folder's."""
        return self.folder.name


NOT_DEPLOYED: dict[str, str] = {
    "beside_telemetry": "moto has no layers of other accounts, as AWS's and Datadog's are",
    "container_image": "its image would have to be built, and there is no container runtime",
    "pipeline": "moto's CloudFormation makes no CodeBuild projects, and refuses what refers to them",
    "sixty_functions": "moto knows half of its types; its functions are deployed in test_steps.py",
    "whole_app": "moto's CloudFormation does not export what the second stack imports of the first",
}
"""Folders of `examples/` that moto cannot deploy at all, each with the reason."""

EXAMPLES = (
    *(Example(example.folder, example.change) for example in catalogue.EXAMPLES if example.name not in NOT_DEPLOYED),
    Example(HERE / "nested"),
)
