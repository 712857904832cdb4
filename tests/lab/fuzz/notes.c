/* What a Node.js function writes of its own code: any bytes. An alert takes from it what fits, and the line stays one. Input: the
 * alert, then one note after another. */
#include "fuzz.h"

#include "../../../runtime_layer/native/engine/report/node_notes.h"
#include "../../../runtime_layer/native/engine/state/sealed_state.h"

int64_t kernel_fake(int64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    return kernel_real(nr, a, b, c, d, e, f);
}

static void write_note(struct text note)
{
    uint8_t *copy = aligned_copy((const uint8_t *)note.at, note.len, 1);
    struct call call = {.nr = __NR_write, .arg = {NOTES_DESCRIPTOR, (uint64_t)copy, note.len}};
    char bytes[NOTE_MAX];
    struct text flags = TEXT("");
    int64_t told = keep_node_note(&call, bytes, &flags);
    CHECK(told == note.len || told == -EBADF);
    CHECK(!flags.len || (flags.at > bytes && flags.at + flags.len <= bytes + NOTE_MAX));
    room_give(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const protocols[] = {"tcp", "dns", "tls"};
    struct input in = {data, size};
    struct place_texts *texts = room_take(sizeof *texts, 8);
    char *line = room_take(ALERT_MAX, 1);
    uint64_t kind = take_number(&in, 1);
    sealed_block.policy.node_callers = CALLERS_ON;
    struct alert alert = {.policy = kind % 8    ? OUTBOUND_CONNECTIVITY
                                    : kind % 16 ? CREATE_CHILD_PROCESS
                                                : EXECUTABLE_MEMORY,
                          .mode = MODE_ALERT,
                          .port = (uint16_t)take_number(&in, 2),
                          .protocol = text_of(protocols[kind % 3])};
    alert.host = take_text(&in, take_number(&in, 1));
    address_parse(alert.host, &alert.ip);
    if (alert.policy == EXECUTABLE_MEMORY)
        alert.path = alert.host;
    for (uint32_t i = 0; i < 32; i++) /* those of the input before */
        write_note(TEXT("s0\n"));
    while (in.left)
        write_note(take_text(&in, take_number(&in, 2) % 2048));
    alert.place = find_node_place(&alert, texts);
    CHECK(alert.place.package_count <= ALERT_PACKAGES && alert.place.line <= INT32_MAX);
    uint32_t len = alert_write(&alert, line);
    CHECK(len && len <= ALERT_MAX && memchr(line, '\n', len) == line + len - 1);
    room_give(line);
    room_give(texts);
    return 0;
}
