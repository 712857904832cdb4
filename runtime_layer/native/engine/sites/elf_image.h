/* Reads the parts of an ELF file that the search for sites needs. Each access is bounded by the file's size. */
#ifndef SHIELD_ELF_IMAGE_H
#define SHIELD_ELF_IMAGE_H

#include "sites.h"

/* n bytes at a file offset, or NULL. */
const uint8_t *image_at(struct image image, uint64_t offset, uint64_t n);
bool image_is_elf(struct image image);
/* The virtual address of a file offset within a loaded segment, and the reverse. */
bool image_offset_to_address(struct image image, uint64_t offset, uint64_t *address);
bool image_address_to_offset(struct image image, uint64_t address, uint64_t *offset);
/* The beginning of an executable segment in [from, to), else `from`: a mapping begins at a page, and the bytes before the
 * segment are no code. */
uint64_t image_code_begin(struct image image, uint64_t from, uint64_t to);
/* The end, in [from, to), of the longest executable segment that is mapped at `from`; else `to`. A loader maps other segments
 * over the rest. */
uint64_t image_code_end(struct image image, uint64_t from, uint64_t to);
/* Whether the page at `from` holds a part of an executable segment. */
bool image_has_code(struct image image, uint64_t from);
/* Whether the Go compiler made it: such code makes system calls on stacks of some hundred bytes. */
bool image_is_go(struct image image);
/* Whether its loader writes to its code (elf(5): DT_TEXTREL). */
bool image_has_text_relocations(struct image image);
/* The function that holds the file offset, as [*from, *to) in file offsets, from the binary search table of .eh_frame_hdr (LSB
 * core, "Exception Frames"). `near`: the index to start at; set to the one found. False when there is no such table or no
 * entry. */
bool image_function(struct image image, uint64_t offset, uint32_t *near, uint64_t *from, uint64_t *to);
/* Whether this byte is in a section that is not code (elf(5), SHF_EXECINSTR): a linker may put data into the executable
 * segment. False where the file has no sections, or more than linkers make, as each call reads them all. */
bool image_is_data(struct image image, uint64_t offset);
/* For code outside all functions of that table: narrows [*from, *to) to the beginning of the function before it and the end of
 * the function after it. */
void image_neighbours(struct image image, uint64_t offset, uint64_t *from, uint64_t *to);

#endif
