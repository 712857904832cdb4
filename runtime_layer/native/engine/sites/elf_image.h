/* The parts of an ELF file that site discovery reads, each access bounded by the file's size. */
#ifndef SHIELD_ELF_IMAGE_H
#define SHIELD_ELF_IMAGE_H

#include "sites.h"

/* n bytes at a file offset, or NULL. */
const uint8_t *image_at(struct image image, uint64_t offset, uint64_t n);
bool image_is_elf(struct image image);
/* Virtual address of a file offset within a loaded segment, and back. */
bool image_offset_to_address(struct image image, uint64_t offset, uint64_t *address);
bool image_address_to_offset(struct image image, uint64_t address, uint64_t *offset);
/* Where in [from, to) an executable segment begins, or `from`: a mapping begins with the page, and what lies in front of
 * the segment there is something else. */
uint64_t image_code_begin(struct image image, uint64_t from, uint64_t to);
/* Where in [from, to) the executable segment ends that a mapping which begins at `from` shows, the longest of several; `to`
 * where there is none. A loader lays something else over what is behind. */
uint64_t image_code_end(struct image image, uint64_t from, uint64_t to);
/* Does an executable segment begin, or go on, in the page at `from`? What a loader maps begins so. */
bool image_has_code(struct image image, uint64_t from);
/* Was it made by the Go compiler? Its code makes system calls on stacks of some hundred bytes. */
bool image_is_go(struct image image);
/* Will its loader write to its code (elf(5): DT_TEXTREL)? */
bool image_has_text_relocations(struct image image);
/* The function that holds the file offset, as [*from, *to) in file offsets, from the binary search table of
 * .eh_frame_hdr (LSB core, "Exception Frames"). `near`: where in the table to begin; left where it was found. False when there
 * is no such table or no entry. */
bool image_function(struct image image, uint64_t offset, uint32_t *near, uint64_t *from, uint64_t *to);
/* Does a section hold this byte that is not code (elf(5), SHF_EXECINSTR)? Where a linker gives data no segment of its own, it
 * lies in the executable one. False where the file has no sections, or more than linkers make: each call asks them all. */
bool image_is_data(struct image image, uint64_t offset);
/* Code that no function of that table holds: narrows [*from, *to) to where the function in front of it begins, and where
 * the one behind it ends. */
void image_neighbours(struct image image, uint64_t offset, uint64_t *from, uint64_t *to);

#endif
