/* The engine protects memory in pages of PAGE bytes. */
#ifndef SHIELD_PAGE_SIZE_H
#define SHIELD_PAGE_SIZE_H

#include "raw_syscall.h"

/* Are the kernel's pages of that size? Those of an aarch64 kernel may be of 16 or 64 KB. */
bool is_page_size_supported(void);

#endif
