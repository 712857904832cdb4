/* The engine protects memory in pages of PAGE bytes. */
#ifndef SHIELD_PAGE_SIZE_H
#define SHIELD_PAGE_SIZE_H

#include "raw_syscall.h"

/* Whether the kernel's pages have that size. An aarch64 kernel may have pages of 16 or 64 KB. */
bool is_page_size_supported(void);

#endif
