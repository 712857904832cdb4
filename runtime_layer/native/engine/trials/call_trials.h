/* Tries the calls that arming needs (needed_calls.h) as the engine makes them, on objects made for the trial. */
#ifndef SHIELD_CALL_TRIALS_H
#define SHIELD_CALL_TRIALS_H

#include <stdbool.h>
#include <stdint.h>

/* The use of a call. FALLS_BACK: the engine works without it where it is refused, but not where it kills the process. */
enum need {
    ANYTHING = 1,
    ALERTS = 2,
    NETWORK = 4,
    FILES = 8,
    PROGRAMS = 16,
    MEMORY = 32,
    CLEARING = 64,
    FALLS_BACK = 128
};

struct trial {
    char name[27]; /* of the call, and of its option */
    uint8_t need;
    uint8_t means;   /* the meaning of its result */
    uint16_t number; /* of the call */
    int32_t arguments[6];
};

uint32_t trial_count(void);
/* The first row is the call that ends the trying process. */
const struct trial *trial_at(uint32_t row);

struct trial_tools {
    int32_t file;   /* the program itself, opened for reading */
    int32_t udp;    /* a socket; negative: not made yet */
    uint64_t pages; /* three; the first has the bytes that calls read */
    int32_t last;   /* the result of the previous row */
};

/* False: a limit leaves no descriptor or memory. */
bool trial_begin(struct trial_tools *tools);
void trial_end(const struct trial_tools *tools);
/* 0, or its unexpected errno. */
int32_t try_row(struct trial_tools *tools, uint32_t row);

#endif
