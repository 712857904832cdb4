/* The file judges under a hostile caller and a hostile file system: any path may lead to any object, links come and go
 * at every step, and another thread rewrites the path while it is judged. The kernel is played by this file: what is
 * opened or changed in the end must not be something that the policy refuses, by no pointer of the caller's, and no
 * descriptor may be left behind. In some runs there is no other thread: only then, and with no signal let in, what a
 * policy refuses may be opened for a moment, until it is looked at. Input: flags, then one step after another. */
#include "engine.h"

#include "../../../runtime_layer/native/core/verdict.h"
#include "../../../runtime_layer/native/engine/files/file_verdict.h"
#include "../../../runtime_layer/native/engine/files/open_fastpath.h"
#include <linux/openat2.h>

enum { ROOT_DEVICE = 1, TMP_DEVICE, PROC_DEVICE, HANDLER_INODE = 77, DESCRIPTORS = 24, NAME_LONGEST = 255 };
enum { TMP_REFERENCE = 900 }; /* the gate's own, to /tmp */

/* No vfork child is played, and nothing but files. */
bool is_memory_owner(void)
{
    return true;
}

void report_native_code(void)
{
}

struct object {
    char path[512]; /* empty: the kernel does not know it */
    uint64_t device, inode;
    uint32_t mode;
};

/* Some numbers are those of another object, on another device. */
static const struct object objects[] = {
    {"/", ROOT_DEVICE, 3, S_IFDIR},
    {"/tmp", TMP_DEVICE, 2, S_IFDIR},
    {"/tmp/dir", TMP_DEVICE, 3, S_IFDIR},
    {"/tmp/allowed", TMP_DEVICE, 4, S_IFDIR},
    {"/tmp/allowed/file", TMP_DEVICE, 5, S_IFREG},
    {"/tmp/secret", TMP_DEVICE, 6, S_IFREG},
    {"/tmp/link", TMP_DEVICE, 7, S_IFLNK},
    {"/var/task", ROOT_DEVICE, 8, S_IFDIR},
    {"/var/task/app.py", ROOT_DEVICE, HANDLER_INODE, S_IFREG},
    {"/srv/name", ROOT_DEVICE, HANDLER_INODE, S_IFREG}, /* a hard link to it */
    {"/srv/file", ROOT_DEVICE, 6, S_IFREG},
    {"/proc/1/mem", PROC_DEVICE, 10, S_IFREG},
    {"/proc/1/task/1/mem", PROC_DEVICE, 11, S_IFREG},
    {"/tmpfile", ROOT_DEVICE, 13, S_IFREG},
    {"", TMP_DEVICE, 13, S_IFREG},
};
static const char *const links[] = {"/tmp/secret", "../tmp", "x", "a/b/", "/", "", "/tmp/allowed/new", "./."};
static const char *const in_proc[] = {"/proc/self/maps",       "/proc/1/mem",      "/proc/self//mem",
                                      "/proc/../tmp/secret",   "/proc/self/./mem", "/proc/self/root",
                                      "/proc/self/task/../mem"};
static const char *const in_tmp[] = {"/tmp/allowed/new",  "/tmp/allowed/../secret", "/tmp/allowed//file",
                                     "/tmp/allowed/./x",  "/tmp/allowed/file/",     "/tmp/secret",
                                     "/tmp/allowed/a/..", "/tmp//allowed/x",        "/tmp/allowed/.../x"};
static const int32_t errors[] = {ENOENT, ELOOP, EACCES, ENOTDIR, EXDEV, EAGAIN};

/* Descriptors 0 to 2 are never free. */
static struct {
    bool open;
    struct object object;
} table[DESCRIPTORS];

static struct call asked; /* the caller's call, as it was made */

static bool is_judged_text(uint64_t pointer)
{
    for (uint32_t i = 0; i < 6; i++)
        if (asked.arg[i] == pointer)
            return false;
    return is_gates(pointer);
}

static struct input *choices; /* what the file system does next */

static uint32_t choose(uint32_t count)
{
    return (uint32_t)take_number(choices, 1) % count;
}

static const struct object *object_of(int64_t descriptor)
{
    return descriptor >= 3 && descriptor < DESCRIPTORS && table[descriptor].open ? &table[descriptor].object
                                                                                 : NULL;
}

static int64_t open_as(const struct object *object, uint64_t flags)
{
    struct object unnamed = *object;
    if (flags & O_DIRECTORY && object->mode != S_IFDIR)
        return -ENOTDIR;
    if ((flags & O_TMPFILE) == O_TMPFILE &&
        !(flags & O_PATH)) { /* a file without a name, in this directory */
        CHECK(strlen(object->path) + 4 < sizeof unnamed.path);
        strcpy(unnamed.path + strlen(object->path), "/#1");
        unnamed.inode = 1001;
        unnamed.mode = S_IFREG;
    }
    for (int32_t i = 3; i < DESCRIPTORS; i++)
        if (!table[i].open) {
            table[i].open = true;
            table[i].object = unnamed;
            return i;
        }
    return -EMFILE;
}

static bool under(const char *path, const char *directory)
{
    size_t n = strlen(directory);
    return !strncmp(path, directory, n) && (path[n] == 0 || path[n] == '/');
}

static bool place_refused(const char *path)
{
    return under(path, "/tmp") && !under(path, "/tmp/allowed");
}

/* The truth about an object, told from the policy below. */
static bool is_refused(const struct object *o, bool writes)
{
    if (!o->path[0] || place_refused(o->path))
        return true;
    if (o->inode == HANDLER_INODE && o->device == ROOT_DEVICE && gate_table[GATE_READY])
        return true;
    return writes && o->device == PROC_DEVICE;
}

/* Where an entry is. "." and ".." are the directory itself and the one above. */
static void join(char *out, size_t cap, const char *directory, const char *name)
{
    size_t n = strlen(name);
    while (n && name[n - 1] == '/')
        n--;
    bool same = n == 1 && name[0] == '.', above = n == 2 && !memcmp(name, "..", 2);
    CHECK(snprintf(out, cap, "%s", directory) < (int)cap);
    if (above) {
        char *slash = strrchr(out, '/');
        if (slash)
            slash[slash == out] = 0;
    } else if (!same) {
        size_t used = strcmp(out, "/") ? strlen(out) : 0;
        CHECK(snprintf(out + used, cap - used, "/%.*s", (int)n, name) < (int)(cap - used));
    }
}

/* An entry of a directory that the gate holds: nothing but that entry can be meant. */
static int64_t open_entry(const struct object *directory, const char *name, uint64_t flags)
{
    struct object o = {.device = directory->device, .inode = 1000, .mode = S_IFREG};
    if (strlen(name) > NAME_LONGEST || strlen(directory->path) > NAME_LONGEST)
        return -ENAMETOOLONG;
    if (!strcmp(name, "."))
        return open_as(directory, flags);
    if (!strcmp(name, "..") || strchr(name, '/'))
        return flags & O_CREAT ? -EISDIR : open_as(&objects[choose(sizeof objects / sizeof *objects)], flags);
    if (choose(4) == 0)
        return -errors[choose(sizeof errors / sizeof *errors)];
    if (!directory->path[0])
        return open_as(&objects[sizeof objects / sizeof *objects - 1], flags);
    join(o.path, sizeof o.path, directory->path, name);
    return open_as(&o, flags);
}

/* "/proc/thread-self/fd/N", "/proc/thread-self/fd/N/name": the descriptor, and what follows it. */
static const struct object *through(const char *path, const char **name)
{
    static const char prefix[] = "/proc/thread-self/fd/";
    if (strncmp(path, prefix, sizeof prefix - 1))
        return NULL;
    char *end;
    const struct object *o = object_of(strtol(path + sizeof prefix - 1, &end, 10));
    while (*end == '/')
        end++;
    *name = end;
    return o;
}

static int64_t open_path(int32_t directory, uint64_t pointer, uint64_t flags, uint64_t resolve)
{
    char copy[PAGE];
    const char *name;
    if (is_judged_text(pointer))
        CHECK(snprintf(copy, sizeof copy, "%s", (const char *)pointer) < PAGE);
    else if (!arena_allows(pointer, 1, false))
        return -EFAULT;
    else /* whatever stands there by now */
        snprintf(copy, sizeof copy, "user");
    if (!strcmp(copy, "/proc/self/maps"))
        return -ENOENT;
    if (directory == -1 && resolve & RESOLVE_NO_XDEV) /* never leaves the mount of / */
        return choose(2) ? -EXDEV : open_as(&objects[10], flags);
    const struct object *o = through(copy, &name);
    if (o && !*name)
        return flags & O_NOFOLLOW && !(flags & O_PATH) ? -ELOOP : open_as(o, flags);
    if (o)
        return open_entry(o, name, flags);
    if (!strncmp(copy, "/proc/thread-self/", 18))
        return -ENOENT;
    o = object_of(directory);
    if (o && is_judged_text(pointer) && (!strchr(copy, '/') || flags & O_CREAT))
        return open_entry(o, copy, flags);
    CHECK(!(flags & O_CREAT)); /* a file is made beneath a directory that was judged, nowhere else */
    if (choose(5) == 0)
        return -errors[choose(sizeof errors / sizeof *errors)];
    return open_as(&objects[choose(sizeof objects / sizeof *objects)], flags);
}

/* An open beneath the reference to /tmp: of a path that means what it says, and that the policy allows. */
static int64_t open_beneath_tmp(uint64_t pointer, const struct open_how *how)
{
    struct object o = {.device = TMP_DEVICE, .inode = 1000, .mode = S_IFREG};
    char parts[PAGE];
    CHECK(is_judged_text(pointer) && !(how->flags & O_PATH));
    CHECK(how->resolve == (RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS));
    CHECK(snprintf(parts, sizeof parts, "/%s/", (const char *)pointer) < PAGE);
    CHECK(!strstr(parts, "//") && !strstr(parts, "/./") && !strstr(parts, "/../"));
    if (strlen(parts) > NAME_LONGEST)
        return -ENAMETOOLONG;
    snprintf(o.path, sizeof o.path, "/tmp/%s", (const char *)pointer);
    CHECK(!place_refused(o.path));
    return choose(4) ? open_as(&o, how->flags) : -errors[choose(sizeof errors / sizeof *errors)];
}

bool had_threads;

/* As the kernel opens, but for what another could read through the descriptor before the gate has looked at it. */
static int64_t open_before_others(int32_t directory, uint64_t pointer, uint64_t flags, uint64_t resolve)
{
    if (is_judged_text(pointer) && !*(const char *)pointer)
        return -ENOENT; /* to have flags looked at */
    int64_t result = open_path(directory, pointer, flags, resolve);
    bool can_be_read = !(flags & O_PATH) && (flags & O_ACCMODE) != O_WRONLY;
    if (!is_error(result) && can_be_read && is_refused(object_of(result), false))
        CHECK(!had_threads);
    return result;
}

static void tell(const struct object *o, struct stat *st)
{
    st->st_dev = o->device == TMP_DEVICE ? sealed->files.tmp.dev : o->device;
    st->st_ino = o->inode;
    st->st_mode = o->mode;
    if (o->device == PROC_DEVICE)
        st->st_size = 0;
}

static int64_t look(int32_t directory, uint64_t pointer, struct stat *st)
{
    CHECK(is_gates((uint64_t)st));
    CHECK(!had_threads);
    int64_t found = open_path(directory, pointer, O_PATH, 0);
    if (is_error(found))
        return found;
    tell(object_of(found), st);
    table[found].open = false;
    return 0;
}

/* Which arguments are paths; -1: none. A directory descriptor stands in front of a path, or nothing. */
static const struct change {
    int16_t nr;
    int8_t path, second;
} changes[] = {
    {__NR_mkdir, 0, -1},    {__NR_rename, 0, 1},     {__NR_symlink, 1, -1},   {__NR_chmod, 0, -1},
    {__NR_lchown, 0, -1},   {__NR_mkdirat, 1, -1},   {__NR_unlinkat, 1, -1},  {__NR_renameat2, 1, 3},
    {__NR_linkat, 1, 3},    {__NR_truncate, 0, -1},  {__NR_fchmodat, 1, -1},  {__NR_fchmodat2, 1, -1},
    {__NR_fchownat, 1, -1}, {__NR_utimensat, 1, -1}, {__NR_lsetxattr, 0, -1}, {__NR_setxattrat, 1, -1}};

/* mkdir is made as mkdirat, with the directory in front. */
static int8_t shift(int64_t nr)
{
    return asked.nr == __NR_mkdir && nr == __NR_mkdirat;
}

static void path_is_judged(const struct change *change, int8_t index, const uint64_t arg[6])
{
    const char *name;
    char place[2048];
    if (index < 0)
        return;
    if (!arg[index]) {
        CHECK(!asked.arg[index - shift(change->nr)]);
        return;
    }
    CHECK(is_judged_text(arg[index]));
    const char *path = (const char *)arg[index];
    if (!*path) { /* the descriptor itself */
        const struct object *o = index ? object_of((int32_t)asked.arg[index - 1]) : NULL;
        CHECK(change->nr != __NR_renameat2 && (!o || !is_refused(o, false)));
        return;
    }
    bool by_directory = strncmp(path, "/proc/", 6) != 0;
    const struct object *o =
        by_directory ? (index ? object_of((int32_t)arg[index - 1]) : NULL) : through(path, &name);
    CHECK(o);
    if (by_directory)
        name = path;
    if (!*name && path[strlen(path) - 1] != '/') {
        CHECK(!is_refused(o, true) || (o->device == PROC_DEVICE && !is_refused(o, false)));
        return;
    }
    join(place, sizeof place, o->path, name);
    CHECK(o->path[0] && !place_refused(place));
}

static int64_t change_path(int64_t nr, const uint64_t arg[6])
{
    for (uint32_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (changes[i].nr == nr) {
            CHECK(asked.nr == nr || shift(nr));
            path_is_judged(&changes[i], changes[i].path, arg);
            path_is_judged(&changes[i], changes[i].second, arg);
            return 0;
        }
    CHECK(!"a call that no file judge makes");
    return 0;
}

static int64_t file_call(int64_t nr, const uint64_t arg[6])
{
    const struct object *o;
    const char *name;
    switch (nr) {
    case __NR_openat: return open_before_others((int32_t)arg[0], arg[1], arg[2], 0);
    case __NR_newfstatat:
        if (!(arg[3] & AT_SYMLINK_NOFOLLOW))
            return look((int32_t)arg[0], arg[1], (struct stat *)arg[2]);
        CHECK(is_judged_text(arg[1]) && is_gates(arg[2])); /* whether a directory has an entry */
        return !object_of((int32_t)arg[0]) ? -EBADF
               : choose(2)                 ? 0
                                           : -errors[choose(sizeof errors / sizeof *errors)];
    case __NR_openat2: {
        const struct open_how *how = (const struct open_how *)arg[2];
        CHECK(is_gates(arg[2]));
        if ((int32_t)arg[0] == TMP_REFERENCE)
            return open_beneath_tmp(arg[1], how);
        return open_before_others((int32_t)arg[0], arg[1], how->flags, how->resolve);
    }
    case __NR_close:
        CHECK(object_of((int64_t)arg[0]));
        table[arg[0]].open = false;
        return 0;
    case __NR_fcntl:
        CHECK(object_of((int64_t)arg[0]) && (arg[1] == F_DUPFD || arg[1] == F_DUPFD_CLOEXEC));
        return open_as(object_of((int64_t)arg[0]), 0);
    case __NR_fstat: {
        struct stat *st = (struct stat *)arg[1];
        o = object_of((int32_t)arg[0]);
        if (!o)
            return -EBADF;
        tell(o, st);
        return 0;
    }
    case __NR_fstatfs:
        CHECK(object_of((int32_t)arg[0]) && is_gates(arg[1]));
        *(int64_t *)arg[1] = object_of((int32_t)arg[0])->device == PROC_DEVICE ? 0x9fa0 : 0;
        return 0;
    case __NR_readlinkat: {
        const char *text = links[choose(sizeof links / sizeof *links)];
        CHECK(is_gates(arg[1]) && is_gates(arg[2]));
        if (!strncmp((const char *)arg[1], "/proc/thread-self/fd/", 21)) {
            o = through((const char *)arg[1], &name);
            if (!o || !o->path[0])
                return -ENOENT;
            text = o->path;
        }
        uint64_t n = strlen(text) < arg[3] ? strlen(text) : arg[3];
        memcpy((void *)arg[2], text, n);
        return n ? (int64_t)n : -EINVAL;
    }
    case __NR_mmap: return -ENOMEM;
    case __NR_getcwd:
        CHECK(is_gates(arg[0]) && arg[1] >= sizeof "/var/task");
        memcpy((void *)arg[0], "/var/task", sizeof "/var/task");
        return sizeof "/var/task";
    case __NR_statx: return -ENOSYS; /* so no relative path begins on a read-only mount */
    }
    return change_path(nr, arg);
}

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    int64_t result;
    let_rival_write(nr, b);
    if (common_call(nr, a, b, c, d, &result))
        return result;
    return file_call(nr, (const uint64_t[]){a, b, c, d, e, f});
}

static uint32_t count_open(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < DESCRIPTORS; i++)
        count += table[i].open;
    return count;
}

static void open_one(struct call *call)
{
    static const int16_t calls[] = {__NR_open, __NR_openat, __NR_openat2, __NR_creat};
    call->nr = calls[choose(sizeof calls / sizeof *calls)];
    asked = *call;
    uint32_t before = count_open();
    enum outcome outcome = judge_open(call);
    CHECK(!held);
    if (outcome == RUN_IN_PLACE) {
        CHECK(call->nr == __NR_openat2); /* a size that the kernel refuses */
        return;
    }
    const struct object *o = is_error(call->nr) ? NULL : object_of(call->nr);
    CHECK(is_error(call->nr) || o);
    CHECK(count_open() == before + !!o);
    if (!o)
        return;
    CHECK(!is_refused(o, false));
    if (choose(2)) /* some stay, for calls that begin at a descriptor */
        table[call->nr].open = false;
}

static void change_one(struct call *call)
{
    call->nr = changes[choose(sizeof changes / sizeof *changes)].nr;
    asked = *call;
    uint32_t before = count_open();
    CHECK(judge_path(call) == ANSWERED);
    CHECK(!held && count_open() == before);
}

/* What the parent and the name are cut from must be what they make up again. */
static void cut_path(struct text path)
{
    char *copy = room_take(path.len + 1ul, 1), *whole = room_take(path.len + 1ul, 1);
    struct text name;
    for (uint32_t i = 0; i < path.len; i++)
        copy[i] = path.at[i] ? path.at[i] : '/';
    copy[path.len] = 0;
    memcpy(whole, copy, path.len + 1ul);
    int32_t parent = open_parent(AT_FDCWD, copy, 0, &name);
    CHECK(!strcmp(copy, whole));
    uint32_t end = name.len;
    while (end && name.at[end - 1] == '/')
        end--;
    CHECK(!memchr(name.at, '/', end));
    if (parent >= 0)
        table[parent].open = false;
    room_give(copy);
    room_give(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char settings[] = "SHIELD_OUTBOUND_CONNECTIVITY=allow\nSHIELD_READ_WRITE_TMP=block\n"
                                   "SHIELD_ALLOW_TMP=/tmp/allowed/**\nSHIELD_READ_HANDLER=block\n";
    struct input in = {data, size};
    choices = &in;
    engine_begin(settings);
    memset(table, 0, sizeof table);
    uint64_t flags = take_number(&in, 1);
    had_threads = !(flags & 8);
    rival = (uint32_t)take_number(&in, 1);
    if (!had_threads)
        rival = 0;
    sealed_block.files.tmp_is_mount = flags & 1;
    sealed_block.files.root_is_clear = flags & 2 && sealed->files.tmp_is_mount;
    gate_table[GATE_READY] = flags & 4 && !sealed->files.root_is_clear;
    sealed_block.files.tmp = (struct inode){sealed->files.tmp_is_mount ? TMP_DEVICE : ROOT_DEVICE, 2};
    sealed_block.files.tmp_directory = flags & 16 && sealed->files.tmp_is_mount ? TMP_REFERENCE : 0;
    sealed_block.files.handlers.inodes[0] = (struct inode){ROOT_DEVICE, HANDLER_INODE};
    sealed_block.files.handlers.count = 1;
    for (uint32_t steps = 0; in.left && steps < 32; steps++) {
        struct call call = {.site = (uint64_t)arena, .stack = (uint64_t)arena};
        uint64_t what = take_number(&in, 1);
        if (what % 8 == 0) {
            uint64_t at = take_pointer(&in);
            struct text t = take_text(&in, take_number(&in, 1));
            const char *known = what & 32 ? in_tmp[choose(sizeof in_tmp / sizeof *in_tmp)]
                                          : in_proc[choose(sizeof in_proc / sizeof *in_proc)];
            if (what % 16)
                arena_put(at, t.at, t.len);
            else
                arena_put(at, known, strlen(known) + 1);
            continue;
        }
        if (what % 8 == 1) {
            cut_path(take_text(&in, take_number(&in, 1)));
            continue;
        }
        for (uint32_t i = 0; i < 6; i++) {
            uint64_t kind = take_number(&in, 1);
            call.arg[i] = kind % 4 == 0   ? take_pointer(&in)
                          : kind % 4 == 1 ? (uint64_t)AT_FDCWD
                          : kind % 4 == 2 ? take_number(&in, 1) % DESCRIPTORS
                                          : take_number(&in, 3);
        }
        (what % 8 < 5 ? open_one : change_one)(&call);
    }
    return 0;
}
