/* A system call on objects that are made for the trial. */
#ifndef SHIELD_TRIAL_H
#define SHIELD_TRIAL_H

#include "../../core/policy.h"

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

/* Placeholders of arguments. Offsets are within the first page. */
enum argument {
    A_FILE = 0x7f000000,
    A_UDP,
    A_PAGE = 0x7f100000, /* zeroes: no time, no signal, no address */
    A_EMPTY = A_PAGE,    /* a name of no length */
    A_POLLFD = A_PAGE + 64,
    A_NO_TIME = A_PAGE + 96, /* an invalid time: the call returns at once */
    A_OPEN_HOW = A_PAGE + 128,
    A_ON = A_PAGE + 192,
    A_SIZE = A_PAGE + 200,
    A_ROOT = A_PAGE + 208, /* "/" */
    A_XATTR = A_PAGE + 216,
    A_LINK = A_PAGE + 256, /* a path to A_FILE */
    A_OUT = A_PAGE + 1024,
    A_PAGE_2 = A_PAGE + 4096,
    A_PAGE_3 = A_PAGE_2 + 4096,
    A_END = A_PAGE_3 + 4096
};

enum means {
    SUCCEEDS, /* any error is a failure */
    MAKES,    /* the same, and the descriptor is closed again */
    ANSWERS,  /* it fails as an object is missing, but must not be refused */
    KNOWS,    /* any error is a failure, unless there is no socket */
    IF_LAST   /* it counts only where the row before it succeeded */
};
enum { ENDS_PROCESS = -1 };

struct trial {
    char name[27]; /* of the call, and of its option */
    uint8_t need;
    uint8_t means;   /* the meaning of its result */
    uint16_t number; /* of the call */
    int32_t arguments[6];
};
#define TRIAL(name, need, means, call, ...)                                                                  \
    {                                                                                                        \
        name, need, means, __NR_##call,                                                                      \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }
enum { NEEDED_CALLS = 19 };
extern const struct trial needed_calls[NEEDED_CALLS] __attribute__((visibility("hidden")));

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
int32_t try_call(struct trial_tools *tools, const struct trial *row);

/* The uses that the policy makes of calls, as bits of `enum need`. */
uint32_t needs_of(const struct policy *p);
/* Writes the call, its `result` (an errno, or ENDS_PROCESS) and its use. */
void put_missing(struct writer *w, const struct trial *row, int32_t result, uint32_t needs);

#endif
