"""Which kernels are tried, and what each is made of: the whole table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lab.libcs.releases import Package
from shielded_function_emulator.languages import debian

# What each kernel is told to load before it can see this machine's files, in this order, where it has a module of the
# name; and what the emulated sandbox needs besides.
_MODULES = (
    *("virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci"),
    *("netfs", "fscache", "9pnet", "9pnet_virtio", "9p", "overlay"),
    *("virtio_blk", "crc16", "crc32c_generic", "mbcache", "jbd2", "ext4", "vsock"),
)
_KEPT = ("boot/vmlinuz-*", "bin/busybox", *(f"lib/modules/*/{name}.ko" for name in _MODULES))
_POOL = "pool/main/l/linux-signed-amd64"


@dataclass(frozen=True)
class Kernel:
    """One of Debian's kernels, with a static shell; `lab.libcs.fetch.root_of` unpacks both.

    Attributes:
        name: as it is called on the command line.
        suite: of Debian, where a newer version is taken from once the one below is gone.
    """

    name: str
    suite: str
    packages: tuple[Package, ...]
    architecture: str = "x86_64"
    only: tuple[str, ...] = _KEPT

    @property
    def id(self) -> str:
        return f"linux-{self.name}-{self.architecture}"


KERNELS = (
    Kernel(
        "5.10",
        "bullseye",
        (
            Package(
                f"{_POOL}/linux-image-5.10.0-32-amd64_5.10.223-1_amd64.deb",
                "86a6792f3a03ab15a643f385830cdaa921f15e3e9c8bf63aa55a9243c62fc797",
                required_by="linux-image-amd64",
            ),
            Package(
                "pool/main/b/busybox/busybox-static_1.30.1-6+b3_amd64.deb",
                "8ce5bf3d1c6dbb964325e99f319e40cd8e0e995323481942080bd17d5d5acf89",
            ),
        ),
    ),
    Kernel(
        "6.1",
        "bookworm",
        (
            Package(
                f"{_POOL}/linux-image-6.1.0-50-amd64_6.1.176-1_amd64.deb",
                "7b5597492a0a65aee61985a492e6bcc3f2cde830072a0e3b3d8c7e1b90279bd3",
                required_by="linux-image-amd64",
            ),
            Package(
                "pool/main/b/busybox/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb",
                "3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744",
            ),
        ),
    ),
)
QEMU = debian.packages("qemu-system", ("qemu-system-x86",), ("usr/bin/qemu-system-x86_64",))


def image(root: Path) -> Path:
    """The kernel itself, in the folder that it was unpacked into."""
    return next(root.glob("boot/vmlinuz-*"))


def modules(root: Path) -> list[Path]:
    """Its modules, in the order in which they can be loaded."""
    found = {path.stem: path for path in root.glob("usr/lib/modules/**/*.ko")}
    return [found[name] for name in _MODULES if name in found]
