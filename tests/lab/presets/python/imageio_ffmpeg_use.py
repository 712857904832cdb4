# pyright: basic, reportMissingImports=false
"""Asks the ffmpeg that comes along for its version."""

import imageio_ffmpeg


def handler(event: object, context: object) -> dict[str, object]:
    return {"done": imageio_ffmpeg.get_ffmpeg_version().lstrip("n").split(".")[0]}
