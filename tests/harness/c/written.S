/* A value that is code: syscall, ret. */
.globl call
.set call, 0x9090909090c3050f
