# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Encodes a few frames by the ffmpeg that comes along."""

from pathlib import Path

import imageio_ffmpeg
from outcome import told

FILE = Path("/tmp/video.mp4")


def use():
    writer = imageio_ffmpeg.write_frames(str(FILE), (32, 32), fps=5, macro_block_size=16)
    writer.send(None)
    for level in range(5):
        writer.send(bytes([level * 40]) * 32 * 32 * 3)
    writer.close()
    return FILE.stat().st_size > 0


handler = told(use)
