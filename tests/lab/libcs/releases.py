"""Which C libraries are tried, and the packages that each is made of: the whole table.

Lambda's own are glibc 2.26 (Amazon Linux 2) and 2.34 (Amazon Linux 2023). No package registry has these; what is here
lies on both sides of them. Whoever has such a system, unpacked from AWS's container image for instance, names its
folder in `LIBC_ROOT`, and it is tried as well.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

DEBIAN_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Package:
    """A Debian package: where it lies below a mirror, and its SHA-256.

    `required_by`: a package that always requires the present one, where the name holds a version.
    """

    path: str
    sha256: str
    required_by: str = ""

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[1].split("_")[0]


@dataclass(frozen=True)
class Libc:
    """One C library for one architecture.

    Attributes:
        name: as tests are called by it.
        family: "gnu" or "musl", as compilers' targets are called.
        suite: of Debian, where a newer version is taken from once the one below is gone.
        packages: what its root is made of.
        python: the path of that release's own Python in the root, where it was packed in; else empty.
        only: the files that are kept of the packages, as globs; all when empty.
        folder: where it lies already, in the place of packages.
    """

    name: str
    architecture: str
    family: str
    suite: str
    packages: tuple[Package, ...]
    python: str = ""
    only: tuple[str, ...] = ()
    folder: str = ""

    @property
    def id(self) -> str:
        return f"{self.name}-{self.architecture}"

    @property
    def target(self) -> str:
        """zig's target for programs that run on it: the oldest glibc that this project's programs are built for."""
        return f"{self.architecture}-linux-{'gnu.2.28' if self.family == 'gnu' else 'musl'}"


_GCC, _PYTHON_9, _PYTHON_13 = "pool/main/g/gcc", "pool/main/p/python3.9", "pool/main/p/python3.13"

_FOLDER = os.environ.get("LIBC_ROOT", "")
GIVEN = (Libc("given", platform.machine(), "gnu", "", (), folder=_FOLDER),) if _FOLDER else ()
LIBCS = (
    *GIVEN,
    Libc(
        "glibc-2.31",
        "x86_64",
        "gnu",
        "bullseye",
        (
            Package(
                "pool/main/g/glibc/libc6_2.31-13+deb11u11_amd64.deb",
                "05f7264da867b37f4c5ce49266b558ea1e81e05a9464f623152fca70f3550282",
            ),
            Package(
                f"{_GCC}-10/libgcc-s1_10.2.1-6_amd64.deb",
                "e478f2709d8474165bb664de42e16950c391f30eaa55bc9b3573281d83a29daf",
            ),
            Package(
                f"{_PYTHON_9}/python3.9-minimal_3.9.2-1_amd64.deb",
                "5d6003c5c20223a2547ac4976e09a9ec778dbe351507a6292bef3b60df5f4aa7",
            ),
            Package(
                f"{_PYTHON_9}/libpython3.9-minimal_3.9.2-1_amd64.deb",
                "594283526d67e03e3c4e96534f6bfe5da1bf41da5d49360553c9b79fbf08c4ab",
            ),
            Package(
                f"{_PYTHON_9}/libpython3.9-stdlib_3.9.2-1_amd64.deb",
                "32ac64d959ac2dbc5bb289532fc9834dab8f671b5455695a3a9315aad973c65b",
            ),
            Package(
                "pool/main/z/zlib/zlib1g_1.2.11.dfsg-2+deb11u2_amd64.deb",
                "03d2ab2174af76df6f517b854b77460fbdafc3dac0dca979317da67538159a3e",
            ),
            Package(
                "pool/main/e/expat/libexpat1_2.2.10-2+deb11u5_amd64.deb",
                "5744040c4735bcdd51238aebfa3e402b857244897f1007f61154982ebe5abbd7",
            ),
            Package(
                "pool/main/libf/libffi/libffi7_3.3-6_amd64.deb",
                "30ca89bfddae5fa6e0a2a044f22b6e50cd17c4bc6bc850c579819aeab7101f0f",
            ),
        ),
        "/usr/bin/python3.9",
    ),
    Libc(
        "glibc-2.36",
        "x86_64",
        "gnu",
        "bookworm",
        (
            Package(
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
                "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
            ),
            Package(
                f"{_GCC}-12/libgcc-s1_12.2.0-14+deb12u1_amd64.deb",
                "3016e62cb4b7cd8038822870601f5ed131befe942774d0f745622cc77d8a88f7",
            ),
        ),
    ),
    Libc(
        "glibc-2.41",
        "x86_64",
        "gnu",
        "trixie",
        (
            Package(
                "pool/main/g/glibc/libc6_2.41-12+deb13u5_amd64.deb",
                "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
            ),
            Package(
                f"{_GCC}-14/libgcc-s1_14.2.0-19_amd64.deb",
                "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150",
            ),
            Package(
                f"{_PYTHON_13}/python3.13-minimal_3.13.5-2+deb13u5_amd64.deb",
                "c1fda9e7b1bf15b2fa75a238d8a8710e142fe14c722fc650c5fc614f078c9073",
            ),
            Package(
                f"{_PYTHON_13}/libpython3.13-minimal_3.13.5-2+deb13u5_amd64.deb",
                "a4aa6a9a8c77f87bfe545e1d14ec42c001d189ace90e3aa75deec882b39dee49",
            ),
            Package(
                f"{_PYTHON_13}/libpython3.13-stdlib_3.13.5-2+deb13u5_amd64.deb",
                "db161322a3481d2c0c3b9a3b9a03c3ab0e2b1718f54b88755fb4a3f939165b84",
            ),
            Package(
                "pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb",
                "8c27c342230503b73dfde629642c3b352e87b554e06d60cf58772f236a305ceb",
            ),
            Package(
                "pool/main/e/expat/libexpat1_2.9.0-1~deb13u1_amd64.deb",
                "feff874772cae904ae4d24e917b35664952bec4b4ae9100a4edda5a7fa746832",
            ),
            Package(
                "pool/main/libf/libffi/libffi8_3.4.8-2_amd64.deb",
                "0ebdc340de33333639c3c63874cd4b15ac2e83dfa1ef3053b7eefaf4919f4f68",
            ),
        ),
        "/usr/bin/python3.13",
    ),
    Libc(
        "musl-1.2.2",
        "x86_64",
        "musl",
        "bullseye",
        (
            Package(
                "pool/main/m/musl/musl_1.2.2-1_amd64.deb",
                "5932c2e94fefcca7779ea454a2c9e94a1f2e5f61483b5c7726734cf56f25ff3f",
            ),
        ),
    ),
    Libc(
        "musl-1.2.3",
        "x86_64",
        "musl",
        "bookworm",
        (
            Package(
                "pool/main/m/musl/musl_1.2.3-1_amd64.deb",
                "4fc1e3d9b579f5c682ca99a4d45aec08d72a2e6b82b4c2e1bbcb7095466ae96d",
            ),
        ),
    ),
    Libc(
        "musl-1.2.5",
        "x86_64",
        "musl",
        "trixie",
        (
            Package(
                "pool/main/m/musl/musl_1.2.5-3.1~deb13u1_amd64.deb",
                "fd4231e1c189c0ebe01182747f83817593fefa7f6b690c484410646288b60058",
            ),
        ),
    ),
    Libc(
        "glibc-2.31",
        "aarch64",
        "gnu",
        "bullseye",
        (
            Package(
                "pool/main/g/glibc/libc6_2.31-13+deb11u11_arm64.deb",
                "baaa9aa184e2f21738c5819055e6740cc5b22f198e3f416e33f82b40ff6933d8",
            ),
            Package(
                f"{_GCC}-10/libgcc-s1_10.2.1-6_arm64.deb",
                "e2fcdb378d3c1ad1bcb64d4fb6b37aab44011152beca12a4944f435a2582df1f",
            ),
        ),
    ),
    Libc(
        "glibc-2.36",
        "aarch64",
        "gnu",
        "bookworm",
        (
            Package(
                "pool/main/g/glibc/libc6_2.36-9+deb12u14_arm64.deb",
                "01f4330719fd4f65580e16ea5a0527f372fca750e8f588d26deaf09f2d3b1cf4",
            ),
            Package(
                f"{_GCC}-12/libgcc-s1_12.2.0-14+deb12u1_arm64.deb",
                "576926b283613db80168ddf76380a3bd877602778cf0d226caa7bfbfa71eacf3",
            ),
        ),
    ),
    Libc(
        "glibc-2.41",
        "aarch64",
        "gnu",
        "trixie",
        (
            Package(
                "pool/main/g/glibc/libc6_2.41-12+deb13u5_arm64.deb",
                "0966fc3da1a26cc57647c68b5736f791b6e7eb498173a7993f63b6c89b4ed4f5",
            ),
            Package(
                f"{_GCC}-14/libgcc-s1_14.2.0-19_arm64.deb",
                "1108bc87879833d6d9a145f22a4a15cddb34e065b4b5f4b97bee586adbac2851",
            ),
        ),
    ),
    Libc(
        "musl-1.2.2",
        "aarch64",
        "musl",
        "bullseye",
        (
            Package(
                "pool/main/m/musl/musl_1.2.2-1_arm64.deb",
                "18a382bab2c55cab1d206e453b046ef552cceb23e068a0453f4726f603ffc181",
            ),
        ),
    ),
    Libc(
        "musl-1.2.3",
        "aarch64",
        "musl",
        "bookworm",
        (
            Package(
                "pool/main/m/musl/musl_1.2.3-1_arm64.deb",
                "6ccf2bf0f479b00411cb8e1eeb048e648718170db5d63bbb4bf4a89350b81468",
            ),
        ),
    ),
    Libc(
        "musl-1.2.5",
        "aarch64",
        "musl",
        "trixie",
        (
            Package(
                "pool/main/m/musl/musl_1.2.5-3.1~deb13u1_arm64.deb",
                "46cf1fcaa2d49d1573ef0ceabdb36e04a359a9a37d8e4304024f9018682e3f35",
            ),
        ),
    ),
)
