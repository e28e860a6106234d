/* Uses all of include/wasmlark.h, correctly and wrongly, and prints the results. */

#include "wasmlark.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TEXT(s) (const uint8_t *)(s), strlen(s)

static void show(const char *what, wasmlark_object run, wasmlark_text text) {
    size_t length;
    const uint8_t *bytes = wasmlark_run_text(run, text, &length);
    if (bytes)
        printf("  %s: %.*s\n", what, (int)length, (const char *)bytes);
}

static void count(const char *what, wasmlark_object run, wasmlark_number number) {
    uint64_t value;
    if (wasmlark_run_number(run, number, &value) == WASMLARK_STATUS_OK)
        printf("  %s: %lld\n", what, (long long)value);
}

static void tell(wasmlark_object run) {
    printf("  kind: %d\n", (int)wasmlark_run_kind(run));
    show("output", run, WASMLARK_TEXT_OUTPUT);
    show("value", run, WASMLARK_TEXT_VALUE);
    show("error", run, WASMLARK_TEXT_ERROR);
    show("message", run, WASMLARK_TEXT_MESSAGE);
    show("trap", run, WASMLARK_TEXT_TRAP);
    show("limit", run, WASMLARK_TEXT_LIMIT);
    show("file", run, WASMLARK_TEXT_FILE);
    count("fuel", run, WASMLARK_NUMBER_FUEL);
    count("ticks", run, WASMLARK_NUMBER_TICKS);
    count("memory peak", run, WASMLARK_NUMBER_MEMORY_PEAK);
    count("line", run, WASMLARK_NUMBER_LINE);
    count("column", run, WASMLARK_NUMBER_COLUMN);
    count("exit code", run, WASMLARK_NUMBER_EXIT_CODE);
}

static void run(const char *what, wasmlark_object sandbox, const char *script) {
    printf("%s\n", what);
    wasmlark_object run = wasmlark_sandbox_run(sandbox, TEXT("main.star"), TEXT(script));
    tell(run);
    if (wasmlark_free(run) != WASMLARK_STATUS_OK)
        printf("  cannot be freed\n");
}

/* Prints the status of an invalid call, and its message. */
static void wrong(const char *what, int status) {
    size_t length;
    const char *message = (const char *)wasmlark_last_error(&length);
    printf("%s\n  %d: %.*s\n", what, status, (int)length, message);
}

static void collect(void *context, const uint8_t *text, size_t length) {
    strncat(context, (const char *)text, length);
}

/* A function of the application: the sum of its arguments, which must be ints. */
static wasmlark_object add(void *context, const wasmlark_object *arguments, size_t count) {
    int64_t sum = *(int64_t *)context;
    for (size_t i = 0; i < count; i++) {
        int64_t number;
        if (wasmlark_value_get_int(arguments[i], &number) != WASMLARK_STATUS_OK)
            return wasmlark_error(TEXT("add takes ints"));
        sum += number;
    }
    return wasmlark_value_int(sum);
}

static wasmlark_object nothing(void *context, const wasmlark_object *arguments, size_t count) {
    (void)context, (void)arguments, (void)count;
    return 0;
}

static void dropped(void *context) {
    *(int64_t *)context = -1;
}

/* Finds files; the context counts the requests. */
static wasmlark_object find(void *context, const uint8_t *name, size_t length) {
    ++*(int64_t *)context;
    if (length == 6 && memcmp(name, "a.star", 6) == 0)
        return wasmlark_value_string(TEXT("a = 1"));
    if (length == 8 && memcmp(name, "bad.star", 8) == 0)
        return wasmlark_error(TEXT("the disk is on fire"));
    if (length == 5 && memcmp(name, "m.wat", 5) == 0)
        return wasmlark_value_bytes(TEXT("(module (func (export \"f\")))"));
    return length == 5 && memcmp(name, "n.bin", 5) == 0 ? wasmlark_value_int(1) : 0;
}

/* Lists what `find` has, and more. */
static wasmlark_object list(void *context, const uint8_t *folder, size_t length) {
    ++*(int64_t *)context;
    wasmlark_object names[2] = {wasmlark_value_string(TEXT("n/")), wasmlark_value_string(TEXT("a.star"))};
    wasmlark_object made = 0;
    if (length == 0)
        made = wasmlark_value_list(names, 2);
    else if (length == 1 && folder[0] == 'n')
        made = wasmlark_value_list(names + 1, 1);
    else if (length == 3 && memcmp(folder, "bad", 3) == 0)
        made = wasmlark_error(TEXT("the disk is full"));
    else if (length == 3 && memcmp(folder, "int", 3) == 0)
        made = wasmlark_value_int(1);
    else if (length == 4 && memcmp(folder, "ints", 4) == 0) {
        wasmlark_object one = wasmlark_value_int(1);
        made = wasmlark_value_list(&one, 1);
        wasmlark_free(one);
    }
    wasmlark_free(names[0]), wasmlark_free(names[1]);
    return made;
}

static int loader(void) {
    int64_t asked = 0, listed = 0, unused = 0;
    wasmlark_object sandbox = wasmlark_sandbox_new();
    if (wasmlark_sandbox_loader(sandbox, find, &unused, dropped) || wasmlark_sandbox_loader(sandbox, find, &asked, dropped) ||
        wasmlark_sandbox_file(sandbox, TEXT("b.star"), TEXT("b = 2")))
        return 1;
    if (unused != -1)
        return 2;
    run("a script and a module from a loader", sandbox, "load('a.star', 'a')\nload('b.star', 'b')\n(a, b, wasm.Module('m.wat'))");
    printf("  asked: %lld\n", (long long)asked);
    run("a loader that fails", sandbox, "load('bad.star', 'a')");
    run("a loader that does not know", sandbox, "load('c.star', 'a')");
    run("a loader that returns an int", sandbox, "wasm.Module('n.bin')");
    run("a loader that lists nothing", sandbox, "list_files()");
    unused = 0;
    if (wasmlark_sandbox_lister(sandbox, list, &unused, dropped) || wasmlark_sandbox_lister(sandbox, list, &listed, dropped) || unused != -1)
        return 3;
    run("a lister", sandbox, "(list_files(), file_exists('a.star'), file_exists('n/b.star'))");
    printf("  asked: %lld, listed: %lld\n", (long long)asked, (long long)listed);
    run("a folder that does not exist", sandbox, "list_files('m/*')");
    run("a lister that fails", sandbox, "list_files('bad/*')");
    run("a lister that returns an int", sandbox, "list_files('int/*')");
    run("a lister that returns ints", sandbox, "list_files('ints/*')");
    unused = 0;
    wrong("no lister", wasmlark_sandbox_lister(sandbox, NULL, &unused, dropped));
    if (unused != -1)
        return 4;
    unused = 0;
    wrong("no loader", wasmlark_sandbox_loader(sandbox, NULL, &unused, dropped));
    wrong("a loader for no sandbox", wasmlark_sandbox_loader(0, find, NULL, NULL));
    return unused != -1 || wasmlark_free(sandbox) || asked != -1 || listed != -1;
}

/* Prints a value and its content, and frees it. */
static void dump(wasmlark_object value, int depth) {
    size_t length, count = wasmlark_value_count(value);
    const uint8_t *text = wasmlark_value_text(value, &length);
    int64_t number = 0;
    double real = 0;
    int is_int = wasmlark_value_get_int(value, &number) == WASMLARK_STATUS_OK;
    int is_float = wasmlark_value_get_float(value, &real) == WASMLARK_STATUS_OK;
    printf("%*stype %d: %.*s", depth * 2 + 2, "", (int)wasmlark_value_type(value), (int)length, (const char *)text);
    if (is_int)
        printf(", %lld", (long long)number);
    if (is_float)
        printf(", %g", real);
    printf("\n");
    for (size_t i = 0; i < count; i++) {
        wasmlark_object key = wasmlark_value_key(value, i);
        if (key)
            dump(key, depth + 1);
        dump(wasmlark_value_item(value, i), depth + 1);
    }
    if (wasmlark_free(value) != WASMLARK_STATUS_OK)
        printf("  cannot be freed\n");
}

static void json(const char *text) {
    wasmlark_object value = wasmlark_value_from_json(TEXT(text)), again = wasmlark_value_to_json(value);
    printf("JSON\n");
    dump(value, 0);
    dump(again, 0);
}

/* Values go in and come out, and a script calls the application. */
static int values(void) {
    int64_t base = 100;
    wasmlark_object sandbox = wasmlark_sandbox_new();
    wasmlark_object parts[6] = {wasmlark_value_string(TEXT("k\xc3\xa4y")), wasmlark_value_int(INT64_MIN),
                                wasmlark_value_none(),                    wasmlark_value_bool(2),
                                wasmlark_value_bytes(TEXT("raw")),       wasmlark_value_float(0.5)};
    wasmlark_object dict = wasmlark_value_dict(parts, 3), list = wasmlark_value_list(&dict, 1);
    if (wasmlark_sandbox_value(sandbox, TEXT("given"), list) ||
        wasmlark_sandbox_function(sandbox, TEXT("add"), add, &base, dropped) ||
        wasmlark_sandbox_function(sandbox, TEXT("nothing"), nothing, NULL, NULL))
        return 1;
    wasmlark_object run_ = wasmlark_sandbox_run(
        sandbox, TEXT("main.star"),
        TEXT("[given, add(1, 2), add(), (1 << 70, len), set([True]), struct(a = b'x'), {'name': None}]"));
    tell(run_);
    dump(wasmlark_run_value(run_), 0);
    wasmlark_free(run_);

    run("a function that fails", sandbox, "add(1, 'x')");
    run("a function that returns nothing", sandbox, "nothing()");
    wasmlark_object failed = wasmlark_sandbox_run(sandbox, TEXT("main.star"), TEXT("fail()"));
    wrong("the value of a run that failed", (int)wasmlark_run_value(failed));
    json("{\"b\": [1, 2.5, -9223372036854775808, 18446744073709551615], \"a\": {\"\\u00e4\": null, \"\": true}}");
    json(" 1e300");
    wrong("not JSON", (int)wasmlark_value_from_json(TEXT("[1,\n }")));
    wrong("JSON followed by more", (int)wasmlark_value_from_json(TEXT("1 2")));
    wrong("JSON that is not UTF-8", (int)wasmlark_value_from_json(TEXT("\"\xff\"")));
    wasmlark_object mixed = wasmlark_sandbox_run(sandbox, TEXT("main.star"), TEXT("{1: (b'a', set([1])), True: [struct(x = 1 << 130), len]}"));
    wasmlark_object keyed = wasmlark_sandbox_run(sandbox, TEXT("main.star"), TEXT("{(1, 2): 3}"));
    wasmlark_object value = wasmlark_run_value(mixed), key = wasmlark_run_value(keyed);
    printf("JSON of values that JSON lacks\n");
    dump(wasmlark_value_to_json(value), 0);
    wrong("JSON of a dict with a tuple for a key", (int)wasmlark_value_to_json(key));
    wrong("JSON of a run", (int)wasmlark_value_to_json(mixed));
    wasmlark_free(mixed), wasmlark_free(keyed), wasmlark_free(value), wasmlark_free(key);
    wrong("a value for a run", (int)wasmlark_run_kind(list));
    wrong("a run for a value", (int)wasmlark_value_type(failed));
    wrong("an int of a list", wasmlark_value_get_int(list, &base));
    wrong("no place for an int", wasmlark_value_get_int(list, NULL));
    wrong("past the end", (int)wasmlark_value_item(list, 1));
    wrong("a key of a list", (int)wasmlark_value_key(list, 0));
    wrong("a name that does not exist", (int)wasmlark_value_get(dict, TEXT("no")));
    wrong("a list of an object that is not a value", (int)wasmlark_value_list(&failed, 1));
    wrong("the name of a builtin", wasmlark_sandbox_value(sandbox, TEXT("len"), list));
    wrong("no function", wasmlark_sandbox_function(sandbox, TEXT("f"), NULL, NULL, NULL));
    dump(wasmlark_value_get(dict, TEXT("k\xc3\xa4y")), 0);
    for (int i = 0; i < 6; i++)
        wasmlark_free(parts[i]);
    wasmlark_free(dict);
    wasmlark_free(list);
    wasmlark_free(failed);
    if (base != 100 || wasmlark_free(sandbox))
        return 2;
    printf("the context is freed with the sandbox\n  %lld\n", (long long)base);
    return base == -1 ? 0 : 3;
}

/* Prints the files that a run wrote. */
static void files(wasmlark_object run) {
    printf("  files:\n");
    dump(wasmlark_run_files(run), 1);
}

/* Standard input, files that a script writes, standard error, and a profile. */
static int data(void) {
    wasmlark_object sandbox = wasmlark_sandbox_new(), session;
    run("no standard input", sandbox, "stdin()");
    run("no files", sandbox, "write_file('a', b'')");
    if (wasmlark_sandbox_stdin(sandbox, TEXT("not used")) || wasmlark_sandbox_stdin(sandbox, TEXT("in\xc3\xa4\n")) ||
        wasmlark_sandbox_writable(sandbox, 1))
        return 1;
    wasmlark_object run_ = wasmlark_sandbox_run(
        sandbox, TEXT("main.star"),
        TEXT("write_file('out/b', stdin())\nwrite_file('a', 'x')\nwrite_error(b'err\\xff')\nwrite(b'out\\xff')\nfail('later')"));
    show("output", run_, WASMLARK_TEXT_OUTPUT);
    show("error output", run_, WASMLARK_TEXT_ERROR_OUTPUT);
    show("message", run_, WASMLARK_TEXT_MESSAGE);
    files(run_);
    wrong("a run without a profile", wasmlark_run_text(run_, WASMLARK_TEXT_PROFILE, NULL) != NULL);
    wasmlark_free(run_);

    if (wasmlark_sandbox_profile(sandbox, 1))
        return 2;
    const char *script = "guest = wasm.instantiate(wasm.wat('''(module\n"
                         "    (func $add (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))\n"
                         "    (func (export \"run\") (result i32) (call $add (call $add (i32.const 0)))))''')).exports\n"
                         "write_file('loaded', '')\n"
                         "def work(n, *, name = 'a'):\n    write_file(name, str(n))\n    return [name] + [guest.run() for _ in range(n)]\n";
    run_ = wasmlark_session_load(sandbox, TEXT("main.star"), TEXT(script), &session);
    files(run_);
    show("profile", run_, WASMLARK_TEXT_PROFILE);
    wasmlark_free(run_);
    const uint64_t none = UINT64_MAX;
    wasmlark_object one = wasmlark_value_int(1), pair[2] = {wasmlark_value_string(TEXT("name")), wasmlark_value_string(TEXT("b"))};
    wasmlark_object named = wasmlark_value_dict(pair, 1), twice[4] = {pair[0], one, pair[0], one};
    wasmlark_object unnamed = wasmlark_value_dict(&one, 0), doubled = wasmlark_value_dict(twice, 2);
    twice[0] = one;
    wasmlark_object not_a_name = wasmlark_value_dict(twice, 1);
    run_ = wasmlark_session_call_with(session, TEXT("work"), &one, 1, named, none, none, none);
    show("value", run_, WASMLARK_TEXT_VALUE);
    files(run_);
    show("profile", run_, WASMLARK_TEXT_PROFILE);
    wasmlark_free(run_);
    run_ = wasmlark_session_call_with(session, TEXT("work"), &one, 1, unnamed, none, none, none);
    show("value", run_, WASMLARK_TEXT_VALUE);
    show("profile", run_, WASMLARK_TEXT_PROFILE);
    wasmlark_free(run_);
    run_ = wasmlark_session_call_with(session, TEXT("work"), &one, 1, doubled, none, none, none);
    show("a name twice", run_, WASMLARK_TEXT_MESSAGE);
    wasmlark_free(run_);
    wrong("named arguments that are no dict", (int)wasmlark_session_call_with(session, TEXT("work"), &one, 1, one, none, none, none));
    wrong("a name that is no string", (int)wasmlark_session_call_with(session, TEXT("work"), &one, 1, not_a_name, none, none, none));
    wrong("named arguments that were freed",
          (int)wasmlark_session_call_with(session, TEXT("work"), &one, 1, wasmlark_free(named) + named, none, none, none));
    wrong("null standard input", wasmlark_sandbox_stdin(sandbox, NULL, 1));
    wrong("files of a sandbox", (int)wasmlark_run_files(sandbox));
    return wasmlark_free(one) || wasmlark_free(pair[0]) || wasmlark_free(pair[1]) || wasmlark_free(unnamed) || wasmlark_free(doubled) ||
           wasmlark_free(not_a_name) || wasmlark_free(session) || wasmlark_free(sandbox);
}

/* Imports. The context of each is the number of its calls, or the last caller. */
static wasmlark_object import_add(void *context, wasmlark_caller caller, const wasmlark_wasm *arguments, wasmlark_wasm *results) {
    (void)caller;
    ++*(int64_t *)context;
    results->i64 = arguments[0].i32 + arguments[1].i64 * 2;
    return 0;
}

static wasmlark_object import_mean(void *context, wasmlark_caller caller, const wasmlark_wasm *arguments, wasmlark_wasm *results) {
    (void)context, (void)caller;
    results->f64 = (arguments[0].f32 + arguments[1].f64) / 2;
    return 0;
}

static wasmlark_object import_weigh(void *context, wasmlark_caller caller, const wasmlark_wasm *arguments, wasmlark_wasm *results) {
    (void)context, (void)caller;
    for (int i = 0; i < 8; i++)
        results->i32 = results->i32 * 10 + arguments[i].i32;
    return 0;
}

/* Makes the text at an address upper case, in place. */
static wasmlark_object import_shout(void *context, wasmlark_caller caller, const wasmlark_wasm *arguments, wasmlark_wasm *results) {
    uint8_t text[16];
    uint64_t size;
    uint32_t address = (uint32_t)arguments[0].i32, count = (uint32_t)arguments[1].i32;
    (void)results;
    *(wasmlark_caller *)context = caller;
    if (wasmlark_caller_memory_size(caller, &size) || size != 65536)
        return wasmlark_error(TEXT("not one page"));
    if (count > sizeof text)
        return wasmlark_value_none();
    if (wasmlark_caller_read(caller, address, text, count)) {
        size_t length;
        const uint8_t *message = wasmlark_last_error(&length);
        return wasmlark_error(message, length);
    }
    for (uint32_t i = 0; i < count; i++)
        text[i] = text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i];
    if (address == 0) {
        wrong("no place for what is read", wasmlark_caller_read(caller, 0, NULL, 1));
        wrong("nothing to write", wasmlark_caller_write(caller, 0, NULL, 1));
        wrong("past the end of the memory", wasmlark_caller_write(caller, 65535, text, 2));
        wrong("past the end of all addresses", wasmlark_caller_read(caller, UINT64_MAX, text, 2));
        wrong("no place for the size", wasmlark_caller_memory_size(caller, NULL));
        wrong("a caller that does not exist", wasmlark_caller_read(caller + 1, 0, text, 1));
    }
    return wasmlark_caller_write(caller, address, text, count) ? wasmlark_error(TEXT("not written")) : 0;
}

static wasmlark_object import_no_memory(void *context, wasmlark_caller caller, const wasmlark_wasm *arguments, wasmlark_wasm *results) {
    uint64_t size;
    (void)context, (void)arguments, (void)results;
    wrong("a guest without a memory", wasmlark_caller_memory_size(caller, &size));
    return 0;
}

static wasmlark_object import_spread(void *context, wasmlark_caller caller, const wasmlark_wasm *arguments, wasmlark_wasm *results) {
    (void)context, (void)caller;
    results[0].i32 = arguments[4].i32;
    results[1].f64 = arguments[0].f64 + arguments[1].f64 + arguments[2].f64 + (double)arguments[3].f32;
    return 0;
}

static int imports(void) {
    enum { i32 = WASMLARK_WASM_TYPE_I32, i64 = WASMLARK_WASM_TYPE_I64, f32 = WASMLARK_WASM_TYPE_F32, f64 = WASMLARK_WASM_TYPE_F64 };
    const uint8_t mixed[] = {i32, i64}, floats[] = {f32, f64}, words[] = {i32, i32, i32, i32, i32, i32, i32, i32, i32};
    const uint8_t unknown[] = {4}, many[] = {f64, f64, f64, f32, i32}, two[] = {i32, f64};
    static const uint8_t long_list[1001];
    int64_t calls = 0;
    wasmlark_caller last = 0;
    wasmlark_object sandbox = wasmlark_sandbox_new();
    if (wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("add"), mixed, 2, mixed + 1, 1, import_add, &calls, dropped) ||
        wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("mean"), floats, 2, floats + 1, 1, import_mean, NULL, NULL) ||
        wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("weigh"), words, 8, words, 1, import_weigh, NULL, NULL) ||
        wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("spread"), many, 5, two, 2, import_spread, NULL, NULL) ||
        wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("none"), NULL, 0, NULL, 0, import_no_memory, NULL, NULL) ||
        wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("shout"), words, 2, NULL, 0, import_shout, &last, NULL))
        return 1;
    const char *module = "(module (import \"env\" \"add\" (func $add (param i32 i64) (result i64)))"
                         " (import \"env\" \"mean\" (func $mean (param f32 f64) (result f64)))"
                         " (import \"env\" \"weigh\" (func $weigh (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))"
                         " (import \"env\" \"spread\" (func $spread (param f64 f64 f64 f32 i32) (result i32 f64)))"
                         " (import \"env\" \"shout\" (func $shout (param i32 i32)))"
                         " (memory (export \"memory\") 1 1) (data (i32.const 0) \"hello\")"
                         " (export \"add\" (func $add)) (export \"mean\" (func $mean)) (export \"weigh\" (func $weigh))"
                         " (export \"spread\" (func $spread))"
                         " (func (export \"shout\") (param i32 i32) (call $shout (local.get 0) (local.get 1))))";
    const char *bare = "(module (import \"env\" \"none\" (func $f)) (func (export \"f\") (call $f)))";
    if (wasmlark_sandbox_file(sandbox, TEXT("m.wat"), TEXT(module)) || wasmlark_sandbox_file(sandbox, TEXT("n.wat"), TEXT(bare)))
        return 2;
    run("imports", sandbox,
        "m = wasm.instantiate('m.wat')\ne = m.exports\ne.shout(0, 4)\n"
        "(e.add(-1, 1 << 40), e.mean(0.5, 1.0), e.weigh(1, 2, 3, 4, 5, 6, 7, 8), e.spread(1, 2.5, 3, 0.5, 7), m.memory.read_string(0, 5))");
    printf("  called: %lld\n", (long long)calls);
    run("an import that fails", sandbox, "wasm.instantiate('m.wat').exports.shout(65530, 7)");
    run("an import that returns a value", sandbox, "wasm.instantiate('m.wat').exports.shout(0, 17)");
    run("an import by a guest without a memory", sandbox, "wasm.instantiate('n.wat').exports.f()");
    run("another signature", sandbox, "wasm.instantiate(wasm.wat('(module (import \"env\" \"add\" (func (param i32))))'))");
    wrong("a caller whose call is over", wasmlark_caller_read(last, 0, NULL, 0));
    wrong("a type that does not exist", wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("f"), unknown, 1, NULL, 0, import_add, NULL, NULL));
    wrong("more parameters than a function may have",
          wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("f"), long_list, sizeof long_list, NULL, 0, import_add, NULL, NULL));
    wrong("null parameters", wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("f"), NULL, 1, NULL, 0, import_add, NULL, NULL));
    wrong("no import", wasmlark_sandbox_import(sandbox, TEXT("env"), TEXT("f"), NULL, 0, NULL, 0, NULL, NULL, NULL));
    if (calls != 1 || wasmlark_free(sandbox))
        return 3;
    return calls != -1;
}

/* Prints the result of a load or a call, and frees it. */
static void ended(const char *what, wasmlark_object run) {
    printf("%s\n  kind: %d\n", what, (int)wasmlark_run_kind(run));
    show("output", run, WASMLARK_TEXT_OUTPUT);
    show("value", run, WASMLARK_TEXT_VALUE);
    show("message", run, WASMLARK_TEXT_MESSAGE);
    show("limit", run, WASMLARK_TEXT_LIMIT);
    if (wasmlark_free(run) != WASMLARK_STATUS_OK)
        printf("  cannot be freed\n");
}

/* What a function of the application can use while its session is in a call. */
struct in_call {
    wasmlark_object session, stop;
    atomic_int is_started;
};

static wasmlark_object call_again(void *context, const wasmlark_object *arguments, size_t count) {
    struct in_call *at = context;
    wrong("a call within a call of the session", (int)wasmlark_session_call(at->session, TEXT("count"), arguments, count));
    wrong("a refill within a call", wasmlark_session_refill(at->session));
    return wasmlark_value_none();
}

static wasmlark_object started(void *context, const wasmlark_object *arguments, size_t count) {
    (void)arguments, (void)count;
    atomic_store(&((struct in_call *)context)->is_started, 1);
    return wasmlark_value_none();
}

static void *press_the_button(void *context) {
    struct in_call *at = context;
    while (!atomic_load(&at->is_started))
        ;
    return (void *)(uintptr_t)wasmlark_interrupt_now(at->stop);
}

/* Calls a function that never ends, and ends it from another thread. */
static int interrupted(const char *what, struct in_call *at, const char *function) {
    pthread_t thread;
    void *status;
    atomic_store(&at->is_started, 0);
    if (pthread_create(&thread, NULL, press_the_button, at))
        return 1;
    wasmlark_object call = wasmlark_session_call(at->session, TEXT(function), NULL, 0);
    if (pthread_join(thread, &status) || status)
        return 2;
    ended(what, call);
    return 0;
}

static int sessions(void) {
    struct in_call at = {0};
    wasmlark_object sandbox = wasmlark_sandbox_new();
    if (wasmlark_sandbox_function(sandbox, TEXT("call_again"), call_again, &at, NULL) ||
        wasmlark_sandbox_function(sandbox, TEXT("started"), started, &at, NULL) ||
        wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_FUEL, UINT64_C(1) << 60) ||
        wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_TICKS, 20000) || wasmlark_sandbox_interruptible(sandbox, 1) ||
        wasmlark_sandbox_keep_code(sandbox, 0))
        return 1;
    const char *script = "VERSION = (1, 2)\n"
                         "guest = wasm.instantiate(wasm.wat('''(module (func (export \"spin\") (loop (br 0)))\n"
                         "    (global $n (mut i32) (i32.const 0))\n"
                         "    (func (export \"add\") (param i32) (result i32)\n"
                         "        (global.set $n (i32.add (global.get $n) (local.get 0))) (global.get $n)))'''))\n"
                         "def count(n): return guest.exports.add(n)\n"
                         "def work(n):\n    for _ in range(n): pass\n    print('worked')\n"
                         "def spin():\n    started()\n    guest.exports.spin()\n"
                         "def again(): call_again(1)\n"
                         "print('loaded')";
    wasmlark_object session, unmade, loaded;
    loaded = wasmlark_session_load(sandbox, TEXT("main.star"), TEXT(script), &session);
    tell(loaded);
    wasmlark_free(loaded);
    ended("a load that fails", wasmlark_session_load(sandbox, TEXT("main.star"), TEXT("print('a')\n1 // 0"), &unmade));
    if (unmade)
        return 2;

    wasmlark_object forty = wasmlark_value_int(40), two = wasmlark_value_int(2), call;
    ended("a call", wasmlark_session_call(session, TEXT("count"), &forty, 1));
    call = wasmlark_session_call(session, TEXT("count"), &two, 1);
    printf("the state stays\n");
    dump(wasmlark_run_value(call), 0);
    wasmlark_free(call);
    printf("a global\n");
    dump(wasmlark_session_get(session, TEXT("VERSION")), 0);
    wrong("no such global", (int)wasmlark_session_get(session, TEXT("VERSIONS")));
    ended("no such function", wasmlark_session_call(session, TEXT("counts"), &two, 1));
    ended("too few arguments", wasmlark_session_call(session, TEXT("count"), NULL, 0));

    wasmlark_object many = wasmlark_value_int(15000);
    const uint64_t none = UINT64_MAX;
    ended("enough ticks", wasmlark_session_call_with(session, TEXT("work"), &two, 1, 0, none, 100, none));
    ended("a call with ticks", wasmlark_session_call_with(session, TEXT("work"), &many, 1, 0, 1000, 100, none));
    ended("a call with fuel", wasmlark_session_call_with(session, TEXT("spin"), NULL, 0, 0, 1000, none, none));
    ended("a call with a deadline", wasmlark_session_call_with(session, TEXT("spin"), NULL, 0, 0, none, none, 20));
    ended("ticks for one more", wasmlark_session_call(session, TEXT("work"), &many, 1));
    ended("no more ticks", wasmlark_session_call(session, TEXT("work"), &many, 1));
    if (wasmlark_session_refill(session))
        return 3;
    ended("ticks again", wasmlark_session_call(session, TEXT("work"), &many, 1));

    at.session = session;
    ended("not twice at a time", wasmlark_session_call(session, TEXT("again"), NULL, 0));
    at.stop = wasmlark_session_interrupt(session);
    if (interrupted("a guest is interrupted", &at, "spin") || wasmlark_free(at.stop))
        return 4;
    ended("the next call runs", wasmlark_session_call(session, TEXT("count"), &two, 1));
    at.stop = wasmlark_sandbox_interrupt(sandbox);
    if (interrupted("the sandbox is interrupted", &at, "spin"))
        return 5;
    ended("for all that it runs", wasmlark_session_call(session, TEXT("spin"), NULL, 0));
    if (wasmlark_interrupt_reset(at.stop))
        return 6;
    ended("until that is taken back", wasmlark_session_call(session, TEXT("count"), &two, 1));
    if (wasmlark_interrupt_after(at.stop, 0))
        return 7;
    ended("a deadline of the sandbox", wasmlark_session_call(session, TEXT("spin"), NULL, 0));

    wrong("code that a session keeps", wasmlark_sandbox_keep_code(session, 0));
    wrong("no place for a session", (int)wasmlark_session_load(sandbox, TEXT("f"), TEXT("1"), NULL));
    wrong("a sandbox for a session", (int)wasmlark_session_call(sandbox, TEXT("count"), &two, 1));
    wrong("a session for an argument", (int)wasmlark_session_call(session, TEXT("count"), &session, 1));
    wrong("a null function", (int)wasmlark_session_call(session, NULL, 1, NULL, 0));
    wrong("a session for an interrupt", wasmlark_interrupt_now(session));
    wrong("an interrupt of a value", (int)wasmlark_session_interrupt(two));
    if (wasmlark_interrupt_reset(at.stop) || wasmlark_free(sandbox))
        return 8;
    ended("after the sandbox", wasmlark_session_call(session, TEXT("count"), &two, 1));
    if (wasmlark_free(session) || wasmlark_free(forty) || wasmlark_free(two) || wasmlark_free(many))
        return 9;
    printf("an interrupt outlives what it ends\n  %d\n", (int)wasmlark_interrupt_now(at.stop));
    return wasmlark_free(at.stop);
}

static void *on_a_small_stack(void *sandbox) {
    const char *deep = "def f(n): return 0 if n == 0 else 1 + f(n - 1)\nf(150)";
    return (void *)(uintptr_t)wasmlark_sandbox_run(*(wasmlark_object *)sandbox, TEXT("main.star"), TEXT(deep));
}

/* Deeply nested code is freed level by level. */
static void *a_session_on_a_small_stack(void *status) {
    static char script[50000] = "def f(x):\n    return ";
    wasmlark_object sandbox = wasmlark_sandbox_new(), session, loaded;
    size_t start = strlen(script);
    memset(script + start, '[', 20000), memset(script + start + 20000, ']', 20000);
    if (wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_NESTING, 30000))
        return status;
    loaded = wasmlark_session_load(sandbox, TEXT("main.star"), TEXT(script), &session);
    int failed = wasmlark_run_kind(loaded) != WASMLARK_KIND_DONE;
    failed |= wasmlark_free(loaded) || wasmlark_free(session) || wasmlark_free(sandbox);
    return failed ? status : NULL;
}

int main(void) {
    size_t length;
    if (!wasmlark_version(&length) || length == 0 || !wasmlark_version(NULL))
        return 1;

    wasmlark_object sandbox = wasmlark_sandbox_new();
    const char *module = "(module (func (export \"div\") (param i32 i32) (result i32)"
                         " (i32.div_s (local.get 0) (local.get 1)))"
                         " (func (export \"spin\") (loop (br 0))) (memory (export \"memory\") 1 9))";
    if (wasmlark_sandbox_file(sandbox, TEXT("m.wat"), TEXT(module)) ||
        wasmlark_sandbox_file(sandbox, TEXT("lib.star"), TEXT("def double(x): return 2 * x")) ||
        wasmlark_sandbox_argument(sandbox, TEXT("one")) || wasmlark_sandbox_argument(sandbox, NULL, 0) ||
        wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_FUEL, 10000) ||
        wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_TICKS, 5000) ||
        wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_MEMORY, 2 << 16))
        return 2;

    run("a value, a loaded file, a module, arguments", sandbox,
        "load('lib.star', 'double')\nm = wasm.instantiate('m.wat')\nprint(argv, m)\ndouble(m.exports.div(42, 2))");
    run("a script that fails", sandbox, "def f(x):\n    return x + 'ä'\nf(1)");
    run("a trap", sandbox, "wasm.instantiate('m.wat').exports.div(1, 0)");
    run("no fuel", sandbox, "wasm.instantiate('m.wat').exports.spin()");
    run("no ticks", sandbox, "def f():\n    for i in range(1000000): pass\nf()");
    run("no memory", sandbox, "wasm.instantiate('m.wat').memory.grow(2)");
    run("no such file", sandbox, "wasm.Module('n.wat')");
    run("not a module", sandbox, "wasm.Module(b'abc')");
    run("an import that is missing", sandbox,
        "wasm.instantiate(wasm.wat('(module (import \"env\" \"f\" (func)))'))");
    run("a bad value", sandbox, "wasm.instantiate('m.wat').exports.div(1.5, 0)");
    run("an exit code", sandbox,
        "m = '(module (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $e (param i32)))"
        " (memory (export \"memory\") 0) (func (export \"f\") (call $e (i32.const -3))))'\n"
        "wasm.instantiate(wasm.wat(m), wasi = wasm.wasi()).exports.f()");
    if (wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_FUEL, UINT64_MAX))
        return 3;
    run("fuel that is not metered", sandbox, "None");

    char printed[100] = "";
    wasmlark_object loud = wasmlark_sandbox_new();
    if (wasmlark_sandbox_on_print(loud, collect, printed))
        return 4;
    run("output as it comes", loud, "print('one')\nprint('two')");
    printf("  taken: %s", printed);

    printf("values and functions\n");
    if (values())
        return 7;
    printf("a loader\n");
    if (loader())
        return 9;
    printf("data\n");
    if (data())
        return 12;
    printf("imports\n");
    if (imports())
        return 10;
    printf("sessions\n");
    if (sessions())
        return 8;

    pthread_attr_t attributes;
    pthread_t thread;
    void *deep;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    if (pthread_create(&thread, &attributes, on_a_small_stack, &loud) || pthread_join(thread, &deep))
        return 5;
    void *freed;
    if (pthread_create(&thread, &attributes, a_session_on_a_small_stack, &loud) || pthread_join(thread, &freed) || freed)
        return 11;
    printf("on a thread with a small stack\n");
    tell((wasmlark_object)(uintptr_t)deep);

    wrong("a null name", wasmlark_sandbox_file(sandbox, NULL, 3, NULL, 0));
    wrong("null content", wasmlark_sandbox_file(sandbox, TEXT("f"), NULL, 3));
    wrong("a name that is not UTF-8", wasmlark_sandbox_file(sandbox, TEXT("a\xff"), NULL, 0));
    wrong("a script that is not UTF-8", (int)wasmlark_sandbox_run(sandbox, TEXT("f"), TEXT("x\xc3(")));
    wrong("a null script", (int)wasmlark_sandbox_run(sandbox, TEXT("f"), NULL, 1));
    wrong("too long", wasmlark_sandbox_argument(sandbox, (const uint8_t *)"a", SIZE_MAX / 2 + 1) == WASMLARK_STATUS_ARGUMENT);
    wrong("a limit that does not exist", wasmlark_sandbox_limit(sandbox, 99, 1));
    wrong("no function to print", wasmlark_sandbox_on_print(sandbox, NULL, NULL));
    wrong("an object that was never made", wasmlark_sandbox_limit(4000, WASMLARK_LIMIT_FUEL, 1));
    wrong("no object", (int)wasmlark_run_kind(0));
    wrong("a sandbox for a run", (int)wasmlark_run_kind(sandbox));
    wrong("a run for a sandbox", wasmlark_sandbox_argument((wasmlark_object)(uintptr_t)deep, TEXT("a")));
    length = 7;
    wrong("a text that does not exist", wasmlark_run_text((wasmlark_object)(uintptr_t)deep, 99, &length) != NULL);
    printf("  %zu bytes\n", length);
    wrong("a text that is absent", wasmlark_run_text((wasmlark_object)(uintptr_t)deep, WASMLARK_TEXT_TRAP, NULL) != NULL);
    wrong("no place for a number", wasmlark_run_number((wasmlark_object)(uintptr_t)deep, WASMLARK_NUMBER_TICKS, NULL));
    uint64_t value;
    wrong("a number that does not exist", wasmlark_run_number((wasmlark_object)(uintptr_t)deep, 99, &value));
    wrong("a number that is absent", wasmlark_run_number((wasmlark_object)(uintptr_t)deep, WASMLARK_NUMBER_LINE, &value));

    if (wasmlark_free((wasmlark_object)(uintptr_t)deep) || wasmlark_free(loud) || wasmlark_free(sandbox) || wasmlark_free(0))
        return 6;
    wrong("a sandbox that was freed", (int)wasmlark_sandbox_run(sandbox, TEXT("f"), TEXT("1")));
    wrong("a run that was freed", wasmlark_run_number((wasmlark_object)(uintptr_t)deep, WASMLARK_NUMBER_TICKS, &value));
    wrong("freed twice", wasmlark_free(sandbox));
    return 0;
}
