/* Numbers, and text that is cut at a separator. */
#include "proofs.h"

int main(void)
{
    char room[LONGEST];
    struct text t = ANY_TEXT(room), rest = t, piece;
    uint32_t max = nondet_number(), value;
    uint64_t defined = 0;
    bool digits = t.len;
    for (uint32_t i = 0; i < t.len; i++) {
        digits = digits && t.at[i] >= '0' && t.at[i] <= '9';
        defined = defined * 10 + (uint64_t)(t.at[i] - '0');
    }
    bool well = text_number(t, max, &value);
    PROVE(well == (digits && defined <= max), "exactly the decimal numbers up to the most");
    PROVE(!well || value == defined, "with their value");

    uint32_t pieces = 0, bytes = 0;
    while (text_next(&rest, ',', &piece)) {
        pieces++;
        bytes += piece.len;
        for (uint32_t i = 0; i < piece.len; i++)
            PROVE(piece.at[i] != ',', "no separator in a piece");
    }
    PROVE(bytes + pieces - 1 == t.len, "every byte is in one piece");
}
