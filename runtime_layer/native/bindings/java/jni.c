/* The native method of ShieldedFunction.java: the map becomes SHIELD_NAME=value lines, as in the environment, which the engine
 * parses. Tests: tests/integration/from_code/test_java.py. */
#include "../engine.h"

#include <stdbool.h>

/* The interface of jni.h is a table of functions; these are indexes in it (Java Native Interface Specification, chapter 4),
 * the same since Java 1.6. */
typedef void *const *const *jenv;
typedef void *jobject;
typedef union {
    jobject l;
    int64_t j;
} jvalue;
enum {
    FIND_CLASS = 6,
    THROW_NEW = 14,
    PUSH_LOCAL_FRAME = 19,
    POP_LOCAL_FRAME = 20,
    IS_INSTANCE_OF = 32,
    GET_METHOD_ID = 33,
    CALL_OBJECT_METHOD_A = 36,
    CALL_BOOLEAN_METHOD_A = 39,
    GET_STRING_LENGTH = 164,
    NEW_STRING_UTF = 167,
    GET_STRING_REGION = 220,
    EXCEPTION_CHECK = 228
};
#define JNI(env, place, type) ((type)(*(env))[place])

enum { LINES_ROOM = 1 << 16, MESSAGE_ROOM = 768, FRAME = 16 };
#define LIBRARY "/opt/shielded-function/libshield.so"

/* The lines so far, and their error. */
struct lines {
    jenv env;
    size_t used, error_used;
    bool full;
    char error[MESSAGE_ROOM];
    char text[LINES_ROOM];
};

static jobject find_class(jenv env, const char *name)
{
    return JNI(env, FIND_CLASS, jobject (*)(jenv, const char *))(env, name);
}

static bool is_a(jenv env, jobject object, const char *name)
{
    jobject class = find_class(env, name);
    return object && class &&
           JNI(env, IS_INSTANCE_OF, uint8_t (*)(jenv, jobject, jobject))(env, object, class);
}

static void *method(jenv env, const char *class_name, const char *name, const char *signature)
{
    jobject class = find_class(env, class_name);
    return class ? JNI(env, GET_METHOD_ID,
                       void *(*)(jenv, jobject, const char *, const char *))(env, class, name, signature)
                 : NULL;
}

static bool has_thrown(jenv env)
{
    return JNI(env, EXCEPTION_CHECK, uint8_t (*)(jenv))(env);
}

/* The result of a method without arguments; NULL also when it threw. */
static jobject ask_object(jenv env, jobject object, const char *class_name, const char *name,
                          const char *signature)
{
    void *id = method(env, class_name, name, signature);
    jobject result = id ? JNI(env, CALL_OBJECT_METHOD_A,
                              jobject (*)(jenv, jobject, void *, const jvalue *))(env, object, id, NULL)
                        : NULL;
    return has_thrown(env) ? NULL : result;
}

static bool ask_boolean(jenv env, jobject object, const char *class_name, const char *name)
{
    void *id = method(env, class_name, name, "()Z");
    bool result = id && JNI(env, CALL_BOOLEAN_METHOD_A,
                            uint8_t (*)(jenv, jobject, void *, const jvalue *))(env, object, id, NULL);
    return !has_thrown(env) && result;
}

static void put(struct lines *l, const char *bytes, size_t len)
{
    if (len > sizeof l->text - l->used) {
        l->full = true;
        return;
    }
    for (size_t i = 0; i < len; i++)
        l->text[l->used++] = bytes[i];
}

static void put_literal(struct lines *l, const char *text)
{
    size_t len = 0;
    while (text[len])
        len++;
    put(l, text, len);
}

static void say(struct lines *l, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len && l->error_used < sizeof l->error - 1; i++)
        l->error[l->error_used++] = bytes[i];
    l->error[l->error_used] = 0;
}

/* "field: reason"; the field is the text from `mark` on. Always false. */
static bool refuse(struct lines *l, size_t mark, const char *reason)
{
    size_t len = 0;
    while (reason[len])
        len++;
    size_t end = mark;
    while (end < l->used && l->text[end] != '=')
        end++;
    for (size_t i = mark; i < end; i++) {
        char c = l->text[i] >= 'A' && l->text[i] <= 'Z' ? (char)(l->text[i] + 'a' - 'A') : l->text[i];
        say(l, &c, 1);
    }
    if (end > mark)
        say(l, ": ", 2);
    say(l, reason, len);
    return false;
}

static void put_character(struct lines *l, uint32_t c)
{
    char utf8[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; c >>= 6)
        utf8[i] = (char)(0x80 | (c & 0x3f));
    utf8[0] = (char)(len == 1 ? c : (0xf00u >> len & 0xf0) | c);
    put(l, utf8, len);
}

/* A String as UTF-8. False: there is a control character in it, or half a character. */
static bool put_string(struct lines *l, jobject string)
{
    jenv env = l->env;
    int32_t len = JNI(env, GET_STRING_LENGTH, int32_t (*)(jenv, jobject))(env, string);
    uint32_t high = 0;
    for (int32_t at = 0; at < len && !l->full; at++) {
        uint16_t unit;
        JNI(env, GET_STRING_REGION, void (*)(jenv, jobject, int32_t, int32_t, uint16_t *))(env, string, at, 1,
                                                                                           &unit);
        bool is_high = unit >= 0xd800 && unit < 0xdc00, is_low = unit >= 0xdc00 && unit < 0xe000;
        if (unit < ' ' || unit == 0x7f || is_low != (high != 0))
            return false;
        if (is_high)
            high = unit;
        else if (is_low)
            put_character(l, 0x10000 + ((high & 0x3ff) << 10 | (unit & 0x3ff)));
        else
            put_character(l, unit);
        high = is_high ? high : 0;
    }
    return !high;
}

#define NOT_PLAIN "the value has a control character or half a character; take it out"
#define NOT_ONE "is not one entry; write one for each, without commas"

static bool put_entry(struct lines *l, size_t mark, jobject entry)
{
    size_t begin = l->used;
    bool blank = true;
    if (!is_a(l->env, entry, "java/lang/String"))
        return refuse(l, mark, "an entry is not a String");
    if (!put_string(l, entry))
        return refuse(l, mark, NOT_PLAIN);
    for (size_t i = begin; i < l->used; i++) {
        if (l->text[i] == ',')
            return refuse(l, mark, "an entry with a comma " NOT_ONE);
        blank = blank && l->text[i] == ' ';
    }
    return !blank || refuse(l, mark, "an entry without text " NOT_ONE);
}

/* Calls `take` for each item of a collection, until it returns false. */
static bool each(struct lines *l, jobject collection,
                 bool (*take)(struct lines *l, size_t mark, jobject item), size_t mark)
{
    jenv env = l->env;
    jobject iterator =
        ask_object(env, collection, "java/util/Collection", "iterator", "()Ljava/util/Iterator;");
    bool goes_on = iterator;
    while (goes_on && ask_boolean(env, iterator, "java/util/Iterator", "hasNext")) {
        if (JNI(env, PUSH_LOCAL_FRAME, int32_t (*)(jenv, int32_t))(env, FRAME))
            return false;
        jobject item = ask_object(env, iterator, "java/util/Iterator", "next", "()Ljava/lang/Object;");
        goes_on = !has_thrown(env) && take(l, mark, item);
        JNI(env, POP_LOCAL_FRAME, jobject (*)(jenv, jobject))(env, NULL);
    }
    return goes_on && !has_thrown(env);
}

static bool put_item(struct lines *l, size_t mark, jobject item)
{
    if (l->text[l->used - 1] != '=')
        put(l, ",", 1);
    return put_entry(l, mark, item);
}

static bool put_value(struct lines *l, size_t mark, jobject value)
{
    jenv env = l->env;
    if (is_a(env, value, "java/lang/Boolean")) {
        put_literal(l, ask_boolean(env, value, "java/lang/Boolean", "booleanValue") ? "on" : "off");
        return true;
    }
    if (is_a(env, value, "java/lang/String"))
        return put_string(l, value) || refuse(l, mark, NOT_PLAIN);
    if (is_a(env, value, "java/util/Collection"))
        return each(l, value, put_item, mark);
    return refuse(l, mark, "the value is not a String, a Collection of String, or a Boolean");
}

/* Writes the field's name as its variable has it. */
static bool put_name(struct lines *l, jobject key)
{
    put_literal(l, "SHIELD_");
    size_t mark = l->used;
    bool is_field = is_a(l->env, key, "java/lang/String") && put_string(l, key) && l->used > mark;
    for (size_t i = mark; i < l->used; i++) {
        char c = l->text[i];
        is_field = is_field && (c == '_' || (c >= 'a' && c <= 'z'));
        if (c >= 'a' && c <= 'z')
            l->text[i] = (char)(c - 'a' + 'A');
    }
    return is_field ||
           refuse(l, mark, "a field's name is lower-case letters and underscores, as in read_write_tmp");
}

static bool put_line(struct lines *l, size_t unused, jobject entry)
{
    jenv env = l->env;
    (void)unused;
    jobject key = ask_object(env, entry, "java/util/Map$Entry", "getKey", "()Ljava/lang/Object;");
    jobject value = ask_object(env, entry, "java/util/Map$Entry", "getValue", "()Ljava/lang/Object;");
    if (has_thrown(env))
        return false;
    size_t line = l->used, mark = line + sizeof "SHIELD_" - 1;
    if (!put_name(l, key))
        return false;
    if (!value) { /* counts as left out */
        l->used = line;
        return true;
    }
    put(l, "=", 1);
    if (!put_value(l, mark, value))
        return false;
    put(l, "\n", 1);
    return !l->full || refuse(l, l->used, "the policy is longer than 65536 bytes; shorten the lists");
}

static bool each_entry(struct lines *l, jobject map, bool (*take)(struct lines *l, size_t mark, jobject item))
{
    jobject entries = ask_object(l->env, map, "java/util/Map", "entrySet", "()Ljava/util/Set;");
    return entries && each(l, entries, take, 0);
}

static bool is_called(struct lines *l, const char *name)
{
    size_t i = 0;
    while (name[i] && i < l->used && l->text[i] == name[i])
        i++;
    return !name[i] && i == l->used;
}

/* Checks one option; the policy becomes lines. */
static bool take_option(struct lines *l, size_t unused, jobject entry)
{
    jenv env = l->env;
    (void)unused;
    jobject key = ask_object(env, entry, "java/util/Map$Entry", "getKey", "()Ljava/lang/Object;");
    if (has_thrown(env))
        return false;
    l->used = 0;
    bool is_known = is_a(env, key, "java/lang/String") && put_string(l, key) &&
                    (is_called(l, "policy") || is_called(l, "token") || is_called(l, "disable_analytics"));
    return is_known || refuse(l, 0, "there is no such option; use policy, token, disable_analytics");
}

static jobject find_policy(struct lines *l, jobject options)
{
    jenv env = l->env;
    jobject name = JNI(env, NEW_STRING_UTF, jobject (*)(jenv, const char *))(env, "policy");
    void *get = method(env, "java/util/Map", "get", "(Ljava/lang/Object;)Ljava/lang/Object;");
    const jvalue argument = {.l = name};
    if (!name || !get)
        return NULL;
    jobject policy = JNI(env, CALL_OBJECT_METHOD_A,
                         jobject (*)(jenv, jobject, void *, const jvalue *))(env, options, get, &argument);
    return has_thrown(env) ? NULL : policy;
}

static bool make_lines(struct lines *l, jobject options)
{
    if (!is_a(l->env, options, "java/util/Map"))
        return refuse(l, 0, "the options are missing; give a Map with \"policy\" in it");
    if (!each_entry(l, options, take_option))
        return false;
    l->used = 0;
    jobject policy = find_policy(l, options);
    if (has_thrown(l->env))
        return false;
    if (!is_a(l->env, policy, "java/util/Map"))
        return refuse(l, 0, "policy: it is not a Map of fields such as read_write_tmp");
    return each_entry(l, policy, put_line);
}

SHIELD_BINDING void Java_shieldedfunction_ShieldedFunction_configure(jenv env, jobject class, jobject options)
{
    struct lines l;
    (void)class;
    l.env = env;
    l.used = l.error_used = 0;
    l.full = false;
    l.error[0] = 0;
    bool refused = !make_lines(&l, options) || call_engine(LIBRARY, l.text, l.used, l.error);
    if (refused && !has_thrown(env))
        JNI(env, THROW_NEW, int32_t (*)(jenv, jobject, const char *))(
            env, find_class(env, "java/lang/IllegalArgumentException"), l.error);
}
