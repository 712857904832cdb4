"""The root filesystem of the emulated sandbox: a table of its mounts, and the code that mounts them.

A small tmpfs, or a folder that the caller made, becomes the root; the host's system directories are bound into it
read-only, `/etc` is generated, and the caller chooses Lambda's directories (/var/task, /opt, /var/lang, /var/runtime,
/tmp).
"""

from __future__ import annotations

import os
from typing import NamedTuple, TypedDict

from shielded_function_emulator import kernel

TMP_SIZE = "512m"
_ROOM = "2g"  # for a runtime's files, where they are copied

# Bound read-only where the host has them. Symbolic links (merged /usr) are copied as links.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ssl", "/etc/alternatives", "/etc/localtime")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_ROOT = "/tmp"  # the new root is built over the host's /tmp, in a mount namespace that no other process sees

_BINFMT = "/proc/sys/fs/binfmt_misc"
# The first 20 bytes of an ELF file for aarch64, executable or shared (elf(5)), as binfmt_misc(5) wants them written.
_ELF_AARCH64 = rb"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_ELF_MASK = rb"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"

# statvfs flags (ST_*) have the values of the mount flags that a user namespace may not take off again.
_LOCKED = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | kernel.MS_NOATIME | kernel.MS_NODIRATIME
_ST_RELATIME, _MS_RELATIME = 0x1000, kernel.MS_RELATIME


class Bind(TypedDict):
    """A file or directory of the host, shown at `target` in the sandbox, read-only."""

    source: str
    target: str


class User(NamedTuple):
    """The identity of the function."""

    uid: int
    gid: int
    name: str


SANDBOX_USER = User(993, 990, "sbx_user1051")


def _files(resolver: str) -> dict[str, str]:
    user = SANDBOX_USER
    return {
        "/etc/passwd": f"root:x:0:0::/root:/bin/sh\n{user.name}:x:{user.uid}:{user.gid}::/home/{user.name}:/bin/sh\n",
        "/etc/group": f"root:x:0:\n{user.name}:x:{user.gid}:\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "/etc/resolv.conf": f"nameserver {resolver}\noptions timeout:1 attempts:2\n",
    }


def _inside(path: str) -> str:
    return _ROOT + path


def _make_read_only(target: str) -> None:
    stat = os.statvfs(target)
    locked = stat.f_flag & _LOCKED
    locked |= _MS_RELATIME if stat.f_flag & _ST_RELATIME else 0
    wanted = kernel.MS_RDONLY | kernel.MS_NOSUID
    kernel.mount("none", target, "none", kernel.MS_REMOUNT | kernel.MS_BIND | wanted | locked)


def _make_point(source: str, path: str) -> None:
    target = _inside(path)
    if os.path.isdir(source):
        os.makedirs(target, mode=0o755, exist_ok=True)
        return
    os.makedirs(os.path.dirname(target), mode=0o755, exist_ok=True)
    if not os.path.exists(target):  # it may be a file of the system's, which is read-only already
        with open(target, "ab"):
            pass


def _bind(source: str, path: str) -> None:
    kernel.mount(source, _inside(path), "none", kernel.MS_BIND | kernel.MS_REC)
    _make_read_only(_inside(path))


def run_by(emulator: str) -> None:
    """From now on `emulator`, a static program, runs the aarch64 programs of this user namespace, and of no other.

    Raises OSError before Linux 6.7, which has no binfmt_misc for each user namespace.
    """
    kernel.mount("binfmt_misc", _BINFMT, "binfmt_misc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    # P: argv[0] stays as it is. F: the emulator is opened now, so the sandbox need not show it.
    with open(f"{_BINFMT}/register", "wb") as register:
        register.write(b":aarch64:M::" + _ELF_AARCH64 + b":" + _ELF_MASK + b":" + os.fsencode(emulator) + b":OPF")


def _lie_over(origin: str) -> bool:
    """Makes the system's directories part of the root's mount, below its own files. False: overlayfs cannot do it."""
    whole = all(
        os.stat(origin + path).st_dev == os.stat(origin or "/").st_dev for path in _SYSTEM if os.path.isdir(path)
    )
    if not whole:
        return False
    try:
        kernel.mount("sandbox", _ROOT, "overlay", kernel.MS_NOSUID, f"lowerdir={_ROOT}:{origin or '/'}")
    except OSError:
        return False
    return True


def _make_root(base: str, lies_over: bool) -> None:
    """Mounts the new root. Where it lies over the machine's root, which contains `base`, that folder is copied."""
    if base and not lies_over:
        kernel.mount(base, _ROOT, "none", kernel.MS_BIND)
        return
    below = f"/proc/self/fd/{os.open(base, os.O_PATH | os.O_CLOEXEC)}" if base else ""  # it may lie below _ROOT
    kernel.mount("sandbox", _ROOT, "tmpfs", kernel.MS_NOSUID, f"mode=0755,size={_ROOM if base else '16m'}")
    if base:
        import shutil  # most sandboxes do without: a tenth of the time that a program takes to enter one

        shutil.copytree(below, _ROOT, symlinks=True, dirs_exist_ok=True)


def _make_own(resolver: str) -> None:
    """Makes the directories and files that every sandbox has."""
    for path in ("/dev", "/etc", "/proc", "/tmp", "/var/task", "/opt", "/old"):
        os.makedirs(_inside(path), mode=0o755, exist_ok=True)
    for name in _DEVICES:
        _make_point(f"/dev/{name}", f"/dev/{name}")
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, _inside(f"/dev/{name}"))
    for path, text in _files(resolver).items():
        with open(_inside(path), "w", encoding="utf-8") as file:
            file.write(text)


def _of_system(origin: str) -> dict[str, str]:
    """The parts of the system that are visible, unless the root lies over it."""
    found = {path: origin + path for path in _SYSTEM if os.path.isdir(origin + path)}
    files = [path for path in _ETC if os.path.exists(origin + path)]
    return found | {path: origin + path if origin else os.path.realpath(path) for path in files}


def _show(source: str, path: str) -> None:
    if path in _SYSTEM and os.path.islink(source):
        os.symlink(os.readlink(source), _inside(path))
        return
    _make_point(source, path)
    _bind(source, path)


def _change_root(is_read_only: bool) -> None:
    os.chdir(_ROOT)
    kernel.pivot_root(".", "old")
    os.chdir("/")
    kernel.detach("/old")
    if not is_read_only:
        os.rmdir("/old")
        _make_read_only("/")


def build(base: str, lies_over: bool, binds: list[Bind], system: str, resolver: str, owned_tmp: User) -> None:
    """Mounts the sandbox's root in this mount namespace and makes it `/`. The old root is gone afterwards.

    Args:
        base: a folder that becomes the root; the mount points are made in it. "" for an empty one.
        lies_over: the system's directories are no separate mounts, where the kernel can do that (overlayfs); the rest
            of the machine is visible then.
        binds: further mounts.
        system: the root whose system directories are shown; "" for this machine's own.
        resolver: the name server's address.
        owned_tmp: the owner of /tmp.

    Raises OSError, naming the mount that failed.
    """
    old_umask = os.umask(0o022)
    kernel.mount("none", "/", "none", kernel.MS_REC | kernel.MS_PRIVATE)
    # Opened before the host's /tmp is covered: a source may lie there.
    sources = {bind["target"]: os.open(bind["source"], os.O_PATH | os.O_CLOEXEC) for bind in binds}
    origin = f"/proc/self/fd/{os.open(system, os.O_PATH | os.O_CLOEXEC)}" if system else ""
    shown, mounts, over = _of_system(origin), dict[str, str](), False
    for bind in binds:
        stays = not system and os.path.realpath(bind["source"]) == bind["target"]
        (shown if stays else mounts)[bind["target"]] = f"/proc/self/fd/{sources[bind['target']]}"
    _make_root(base, lies_over)
    _make_own(resolver)
    if lies_over:
        for path, source in mounts.items():  # now, as no mount point can be made in an overlay later
            _make_point(source, path)
        over = _lie_over(origin)
    for path, source in shown.items() if not over else ():
        _show(source, path)
    for path, source in mounts.items():
        _make_point(source, path)
        _bind(source, path)
    for name in _DEVICES:  # not remounted: a bind of a device node must stay free of nodev
        kernel.mount(f"/dev/{name}", _inside(f"/dev/{name}"), "none", kernel.MS_BIND)
    # A user namespace may mount its own proc only where a complete one is visible.
    kernel.mount("/proc", _inside("/proc"), "none", kernel.MS_BIND | kernel.MS_REC)
    tmp = f"mode=0700,uid={owned_tmp.uid},gid={owned_tmp.gid},size={TMP_SIZE}"
    kernel.mount("tmp", _inside("/tmp"), "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, tmp)
    for fd in sources.values():
        os.close(fd)
    _change_root(is_read_only=over)
    os.umask(old_umask)
