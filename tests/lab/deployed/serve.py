"""moto's server with one thing put right: a layer has a physical id.

Without it, CloudFormation's `Ref` to a layer gives a Python object, the layer is listed without a name, and the update
of any function that has a layer fails.
"""

from __future__ import annotations

import os
import sys
import threading

from moto.awslambda.models import LayerVersion
from moto.server import main


def end_with_parent() -> None:
    """Ends the server when whoever started it is gone, however that came: its end of stdin is closed then."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    assert not hasattr(LayerVersion, "physical_resource_id"), "moto knows it by now: delete this file"
    LayerVersion.physical_resource_id = property(lambda layer: layer.arn)  # pyright: ignore[reportAttributeAccessIssue]
    threading.Thread(target=end_with_parent, daemon=True).start()
    main(sys.argv[1:])
