/* The instruction decoder at every offset: it never reads past what it was given, and an instruction that fits is the
 * same however much follows it, and by whichever way it is found. Input: code. */
#include "fuzz.h"

#include "../../../runtime_layer/native/engine/sites/x86_64/decode.h"

enum { LONGEST = 15 };

static void check_usual(const uint8_t *code, const struct insn *insn)
{
    static struct usual usual;
    if (!usual.by_modrm[0])
        list_usual(&usual);
    struct insn same = decode_usual(&usual, code);
    CHECK(!same.len || (same.len == insn->len && same.flags == insn->flags));
    CHECK(!same.len || !(insn->flags & (INSN_BRANCH | INSN_CALLS)) || same.target == insn->target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        size_t given = size - at < 4 * LONGEST ? size - at : 4 * LONGEST;
        uint8_t *code = exact_copy(data + at, given);
        struct insn insn = decode(code, given);
        if (insn.len) {
            CHECK(insn.len <= LONGEST && insn.len <= given);
            CHECK(!(insn.flags & INSN_RIP) || (insn.displacement >= 2 && insn.displacement + 4u <= insn.len));
            CHECK((insn.flags & (INSN_BRANCH | INSN_CALLS)) || !insn.target || insn.target == NOWHERE);
        }
        if (given >= USUAL_READ)
            check_usual(code, &insn);
        room_give(code);
        for (size_t cut = 0; cut <= given && cut <= LONGEST; cut++) {
            code = exact_copy(data + at, cut);
            struct insn same = decode(code, cut);
            CHECK(same.len == (cut >= insn.len ? insn.len : 0));
            CHECK(!same.len || (same.len == insn.len && same.flags == insn.flags &&
                                same.target == insn.target && same.displacement == insn.displacement));
            room_give(code);
        }
    }
    return 0;
}
