/* The mount and the file system of a file, and whether the function can change it. */
#ifndef SHIELD_FILESYSTEM_H
#define SHIELD_FILESYSTEM_H

#include "raw_syscall.h"

struct inode {
    uint64_t dev;
    uint64_t ino; /* 0: there is none */
};
/* The facts of an open file; zeroes where there are none. */
struct stat stat_of(int64_t file);
struct inode inode_of(int64_t file);
/* The inode at a path; links are followed. */
struct inode inode_at(const char *path);
static inline bool same_inode(struct inode a, struct inode b)
{
    return a.ino && a.ino == b.ino && a.dev == b.dev;
}
/* The index of the inode; `count`: it is not among them. */
uint32_t find_inode(const struct inode *among, uint32_t count, struct inode inode);

/* Whether the file is, or may be, on the mount of /. */
bool is_on_root_mount(int32_t file);
/* Whether the file is on the mount of this directory. */
bool is_on_mount_of(int32_t file, const char *directory);
/* Whether the file may lie in the file system of /, where a file of a bind mount has another name. */
bool is_of_root_filesystem(int32_t file);
bool leads_to_root_filesystem(const char *path);
/* Whether the file is on a read-only mount of a file system in which each file has one spelling (vfat has short names too). */
bool is_read_only_and_exact(int32_t file);
/* The mount of a directory, or of the working directory (AT_FDCWD); 0: unknown. */
uint64_t mount_of(int32_t directory);
uint64_t root_mount(void);
/* Whether the file's mount is read-only: no call changes names or contents there. */
bool is_on_read_only_mount(int32_t file);
bool is_memory_file(int32_t file);
/* Whether the file is, or may be, on procfs. */
bool is_in_procfs(int32_t file);
/* Whether the file is a pipe without a path, except in /proc. */
bool is_nameless_pipe(int32_t file);
/* Whether this program could change the file: as its owner, by its permissions, or because it is a memory file. */
bool may_change(int32_t file);

#endif
