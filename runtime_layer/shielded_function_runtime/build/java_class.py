"""The Java side of the layer, without a Java compiler: `ShieldedFunction.class`, and the jar around it.

The class equals a compiled `bindings/java/ShieldedFunction.java`: a static initializer that loads the native
library, a private constructor, a native method. Instructions and structures are those of the Java Virtual Machine
Specification, chapters 4 and 6; Java 8 and later take it.
"""

from __future__ import annotations

import io
import struct
import zipfile

CLASS = "shieldedfunction/ShieldedFunction"
LIBRARY = "/opt/shielded-function/libshield-java.so"
CONFIGURE = ("configure", "(Ljava/util/Map;)V", "(Ljava/util/Map<Ljava/lang/String;*>;)V")

_JAVA_8 = 52
_PUBLIC, _PRIVATE, _STATIC, _FINAL, _SUPER, _NATIVE = 0x1, 0x2, 0x8, 0x10, 0x20, 0x100
_UTF8, _CLASS_INFO, _STRING, _METHODREF, _NAME_AND_TYPE = 1, 7, 8, 10, 12
_ALOAD_0, _LDC, _RETURN, _INVOKESPECIAL, _INVOKESTATIC = 0x2A, 0x12, 0xB1, 0xB7, 0xB8
_STORED = (1980, 1, 1, 0, 0, 0)


class _Pool:
    """The constant pool (JVMS 4.4): each constant once, by its number."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []

    def _add(self, entry: bytes) -> int:
        if entry not in self._entries:
            self._entries.append(entry)
        return self._entries.index(entry) + 1

    def text(self, value: str) -> int:
        raw = value.encode("ascii")
        return self._add(struct.pack(">BH", _UTF8, len(raw)) + raw)

    def class_info(self, name: str) -> int:
        return self._add(struct.pack(">BH", _CLASS_INFO, self.text(name)))

    def string(self, value: str) -> int:
        return self._add(struct.pack(">BH", _STRING, self.text(value)))

    def method(self, owner: str, name: str, descriptor: str) -> int:
        name_and_type = self._add(struct.pack(">BHH", _NAME_AND_TYPE, self.text(name), self.text(descriptor)))
        return self._add(struct.pack(">BHH", _METHODREF, self.class_info(owner), name_and_type))

    def __bytes__(self) -> bytes:
        return struct.pack(">H", len(self._entries) + 1) + b"".join(self._entries)


def class_file() -> bytes:
    """`ShieldedFunction.class`."""
    pool = _Pool()
    load = pool.method("java/lang/System", "load", "(Ljava/lang/String;)V")
    construct = pool.method("java/lang/Object", "<init>", "()V")
    initializer = struct.pack(">BBBHB", _LDC, pool.string(LIBRARY), _INVOKESTATIC, load, _RETURN)
    constructor = struct.pack(">BBHB", _ALOAD_0, _INVOKESPECIAL, construct, _RETURN)
    name, descriptor, generic = CONFIGURE
    signature = _attribute(pool, "Signature", struct.pack(">H", pool.text(generic)))
    methods = [
        _method(pool, _PRIVATE, "<init>", "()V", _code(pool, constructor, stack=1, variables=1)),
        _method(pool, _PUBLIC | _STATIC | _NATIVE, name, descriptor, signature),
        _method(pool, _STATIC, "<clinit>", "()V", _code(pool, initializer, stack=1, variables=0)),
    ]
    this, above = pool.class_info(CLASS), pool.class_info("java/lang/Object")
    head = struct.pack(">IHH", 0xCAFEBABE, 0, _JAVA_8) + bytes(pool)
    # No interfaces, no fields; behind the methods no attributes.
    return (
        head
        + struct.pack(">HHHHHH", _PUBLIC | _FINAL | _SUPER, this, above, 0, 0, len(methods))
        + b"".join(methods)
        + struct.pack(">H", 0)
    )


def _attribute(pool: _Pool, name: str, content: bytes) -> bytes:
    return struct.pack(">HI", pool.text(name), len(content)) + content


def _code(pool: _Pool, instructions: bytes, *, stack: int, variables: int) -> bytes:
    # Neither exceptions nor attributes: without a branch, no stack map is needed.
    content = struct.pack(">HHI", stack, variables, len(instructions)) + instructions + struct.pack(">HH", 0, 0)
    return _attribute(pool, "Code", content)


def _method(pool: _Pool, flags: int, name: str, descriptor: str, attribute: bytes) -> bytes:
    return struct.pack(">HHHH", flags, pool.text(name), pool.text(descriptor), 1) + attribute


def jar() -> bytes:
    """The jar: a manifest and the class, the same bytes wherever it is made."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (
            ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\r\nAutomatic-Module-Name: shieldedfunction\r\n\r\n"),
            (f"{CLASS}.class", class_file()),
        ):
            entry = zipfile.ZipInfo(name, _STORED)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return content.getvalue()
