"""Small ELF files to mutate: compiled by zig when they are needed, as binaries have no place among the sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Every shape of a system call that the scanners tell apart: a constant number, one that is not, one through another
# register, rt_sigreturn, and the bytes inside another instruction.
_X86_64 = """
long any(long n, long a) {
    long r; __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a) : "rcx", "r11", "memory"); return r;
}
long fixed(long a) {
    long r; __asm__ volatile("syscall" : "=a"(r) : "a"(42), "D"(a) : "rcx", "r11", "memory"); return r;
}
void leave(int code) {
    __asm__ volatile("mov $231, %%edx; 1: xor %%edi, %%edi; mov %%edx, %%eax; syscall; jmp 1b" ::: "memory");
}
void back(void) { __asm__ volatile("mov $15, %%rax; syscall" ::: "memory"); }
long inside(void) { long r; __asm__ volatile("movabs $0x90900590050f, %0" : "=r"(r)); return r; }
long chosen(int which) {
    long n = which == 1 ? 41 : which == 2 ? 49 : which == 3 ? 288 : 3, r;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n) : "rcx", "r11", "memory"); return r;
}
"""
_AARCH64 = """
long any(long n, long a) {
    register long x8 __asm__("x8") = n; register long x0 __asm__("x0") = a;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory"); return x0;
}
long fixed(long a) {
    register long x8 __asm__("x8") = 203; register long x0 __asm__("x0") = a;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8) : "memory"); return x0;
}
void back(void) { __asm__ volatile("mov x8, #139\\n svc #0" ::: "x8", "memory"); }
long joined(long which) {
    register long x0 __asm__("x0") = which;
    __asm__ volatile("cbz x0, 1f\\n mov x8, #57\\n b 2f\\n 1: mov x8, #57\\n 2: svc #0" : "+r"(x0) :: "x8", "memory");
    return x0;
}
"""
_SOURCES = {"elf": ("x86_64-linux-gnu", _X86_64), "elf_aarch64": ("aarch64-linux-gnu", _AARCH64)}
_WAYS = {"tables": ("-fasynchronous-unwind-tables",), "bare": ("-fno-asynchronous-unwind-tables", "-fno-unwind-tables")}


def make(target: str, folder: Path) -> list[Path]:
    """Writes the seeds of one target into a folder; those that are there are kept."""
    triple, source = _SOURCES[target]
    folder.mkdir(parents=True, exist_ok=True)
    seeds = []
    for way, flags in _WAYS.items():
        seed = folder / f"{way}.so"
        seeds.append(seed)
        if seed.exists():
            continue
        code = folder / f"{way}.c"
        code.write_text(source)
        command = [sys.executable, "-m", "ziglang", "cc", "-target", triple, "-shared", "-nostdlib", "-fPIC", "-O1"]
        command += ["-s", "-fno-sanitize=all", *flags, str(code), "-o", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        code.unlink()
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
    return seeds


def needed_by(target: str) -> bool:
    """Are this target's seeds made here?"""
    return target in _SOURCES
