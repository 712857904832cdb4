/* Tests: tests/integration/engine/test_mounts.py. */
#include "filesystem.h"

#include "linux_abi.h"
#include "procfs.h"

struct stat stat_of(int64_t file)
{
    struct stat st = {0};
    KERNEL(fstat, file, &st);
    return st;
}

struct inode inode_of(int64_t file)
{
    struct stat st = stat_of(file);
    return (struct inode){st.st_dev, st.st_ino};
}

struct inode inode_at(const char *path)
{
    struct stat st = {0};
    KERNEL(newfstatat, AT_FDCWD, path, &st, 0);
    return (struct inode){st.st_dev, st.st_ino};
}

uint32_t find_inode(const struct inode *among, uint32_t count, struct inode inode)
{
    uint32_t i = 0;
    while (i < count && !same_inode(among[i], inode))
        i++;
    return i;
}

/* The mount of a path, or with an empty one, of an open file; 0: unknown (before Linux 5.8). Device numbers do not identify a
 * mount: on an overlay, those of a file and its directory differ. */
static uint64_t read_mount_id(int32_t file, const char *path)
{
    struct statx st = {0};
    int64_t result = KERNEL(statx, file, path, AT_EMPTY_PATH, STATX_MNT_ID, &st);
    return is_error(result) || !(st.stx_mask & STATX_MNT_ID) ? 0 : st.stx_mnt_id;
}

uint64_t root_mount(void)
{
    return read_mount_id(AT_FDCWD, "/");
}

static bool is_root_mount(uint64_t mount)
{
    uint64_t root = root_mount();
    return !mount || !root || mount == root;
}

bool is_on_root_mount(int32_t file)
{
    return is_root_mount(read_mount_id(file, ""));
}

bool is_on_mount_of(int32_t file, const char *directory)
{
    uint64_t mount = read_mount_id(file, "");
    return mount && mount == read_mount_id(AT_FDCWD, directory);
}

/* struct statfs on 64-bit (statfs(2)). */
struct filesystem {
    int64_t type, block_size, blocks, free, available, files, free_files;
    int32_t id[2];
    int64_t name_len, fragment, flags, spare[4];
};

/* Compares file system ids (statfs(2)): device numbers differ within an overlay and between subvolumes of btrfs, and mounts
 * differ within a file system (bind mounts). In btrfs the second half of the id is the subvolume. A network file system may
 * give each path another id, so callers compare mounts as well. */
static bool is_root_filesystem(int64_t asked, const struct filesystem *fs)
{
    struct filesystem root = {0};
    return is_error(asked) || is_error(KERNEL(statfs, "/", &root)) ||
           (fs->type == root.type && fs->id[0] == root.id[0]);
}

bool is_of_root_filesystem(int32_t file)
{
    struct filesystem fs = {0};
    return is_on_root_mount(file) || is_root_filesystem(KERNEL(fstatfs, file, &fs), &fs);
}

bool leads_to_root_filesystem(const char *path)
{
    struct filesystem fs = {0};
    return is_root_mount(read_mount_id(AT_FDCWD, path)) || is_root_filesystem(KERNEL(statfs, path, &fs), &fs);
}

bool is_read_only_and_exact(int32_t file)
{
    static const uint32_t types[] = {SQUASHFS_MAGIC,  EROFS_SUPER_MAGIC_V1, EXT4_SUPER_MAGIC,
                                     XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,    OVERLAYFS_SUPER_MAGIC,
                                     TMPFS_MAGIC};
    struct filesystem fs = {0};
    if (is_error(KERNEL(fstatfs, file, &fs)) || !(fs.flags & ST_RDONLY))
        return false;
    for (uint32_t i = 0; i < sizeof types / sizeof *types; i++)
        if (fs.type == types[i])
            return true;
    return false;
}

uint64_t mount_of(int32_t directory)
{
    return read_mount_id(directory, "");
}

bool is_on_read_only_mount(int32_t file)
{
    struct filesystem fs = {0};
    return !is_error(KERNEL(fstatfs, file, &fs)) && fs.flags & ST_RDONLY;
}

bool is_in_procfs(int32_t file)
{
    struct filesystem fs = {.type = PROC_SUPER_MAGIC}; /* the answer where a filter refuses the call */
    return is_error(KERNEL(fstatfs, file, &fs)) || fs.type == PROC_SUPER_MAGIC;
}

bool is_nameless_pipe(int32_t file)
{
    struct filesystem fs = {0};
    return !is_error(KERNEL(fstatfs, file, &fs)) && fs.type == PIPEFS_MAGIC;
}

bool is_memory_file(int32_t file)
{
    return !is_error(KERNEL(fcntl, file, F_GET_SEALS, 0));
}

bool may_change(int32_t file)
{
    char link[40];
    if (is_on_read_only_mount(file)) /* first, as fcntl(2) reports seals for each file of a tmpfs */
        return false;
    if (is_memory_file(file))
        return true;
    path_through(file, TEXT(""), link, sizeof link);
    return stat_of(file).st_uid == (uint32_t)KERNEL(geteuid) ||
           !is_error(KERNEL(faccessat, AT_FDCWD, link, W_OK));
}
