/* Writers and readers of the table at once. More rules than a set has slots are learned for one address, each always with
 * the same name, so a reader that sees another pair has seen a torn slot. A second address is learned by one rule, for one name
 * after the other, and hardly ever missing: only where the kernel stops the writers of both of its slots in the midst. Exit
 * status 0: so it was. */
#include "learned_addresses.h"

#include <pthread.h>
#include <stdio.h>

#ifndef ROUNDS
#define ROUNDS 200000
#endif
enum { WRITERS = 4, READERS = 2, RULES = 64, NAME_ROOM = 64, MISSING_MAX = 2 };

static const struct address IP = {.family = FAMILY_V4, .bytes = {203, 0, 113, 7}};
static const struct address KNOWN = {.family = FAMILY_V4, .bytes = {203, 0, 113, 8}};
static struct names table;
static uint32_t found, torn, missing;

/* 30 to 46 bytes of one letter: the letter and the length tell the rule. */
static struct text name_of(uint16_t rule, char room[NAME_ROOM])
{
    uint32_t len = 30 + rule % 17;
    fill_bytes(room, (uint8_t)('a' + rule % 26), len);
    return (struct text){room, len};
}

static bool check(void *context, uint16_t rule, struct text name)
{
    char room[NAME_ROOM];
    (void)context;
    __atomic_add_fetch(&found, 1, __ATOMIC_RELAXED);
    if (rule >= RULES || !text_equal(name, name_of(rule, room)))
        __atomic_add_fetch(&torn, 1, __ATOMIC_RELAXED);
    return false;
}

static bool is_there(void *context, uint16_t rule, struct text name)
{
    (void)rule;
    check(context, (uint16_t)(name.at[0] - 'a'), name); /* its name is that of another rule */
    return true;
}

static void learn_known(uint32_t turn)
{
    char room[NAME_ROOM];
    names_learn(&table, &KNOWN, 1, name_of((uint16_t)(turn % 17), room));
}

static void *write_names(void *unused)
{
    char room[NAME_ROOM];
    for (uint32_t i = 0; i < ROUNDS; i++) {
        names_learn(&table, &IP, (uint16_t)(i % RULES), name_of((uint16_t)(i % RULES), room));
        learn_known(i);
    }
    return unused;
}

static void *read_names(void *unused)
{
    for (uint32_t i = 0; i < ROUNDS; i++) {
        names_find(&table, &IP, check, NULL);
        if (!names_find(&table, &KNOWN, is_there, NULL))
            __atomic_add_fetch(&missing, 1, __ATOMIC_RELAXED);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[WRITERS + READERS];
    learn_known(0);
    for (int i = 0; i < WRITERS + READERS; i++)
        if (pthread_create(&threads[i], NULL, i < WRITERS ? write_names : read_names, NULL))
            return 2;
    for (int i = 0; i < WRITERS + READERS; i++)
        pthread_join(threads[i], NULL);
    /* With nobody writing, every slot of the set can be read. */
    uint32_t before = found;
    names_find(&table, &IP, check, NULL);
    printf("found %u, torn %u, missing %u\n", (unsigned)found, (unsigned)torn, (unsigned)missing);
    return torn || missing > MISSING_MAX || found - before != NAMES_WAYS;
}
