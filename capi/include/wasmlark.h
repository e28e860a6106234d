/* wasmlark: Starlark scripts that load, link and call WebAssembly modules.

 Made from capi/src by `UPDATE=1 cargo test --package wasmlark-capi --test header`. Do not edit.

 The C interface of wasmlark, declared in `include/wasmlark.h`; in a build for wasm32, what the module exports.

 A sandbox gets limits, arguments and files, runs scripts, and each run is an object of its own that
 is asked for texts and numbers. Objects are numbers that are never given twice, so one that was
 freed, or never made, is told from one that lives. A call that makes no sense returns a status, or 0,
 or null, and `wasmlark_last_error` says in words what was wrong with it.

 wasmlark_object sandbox = wasmlark_sandbox_new();
 wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_FUEL, 1000000);
 wasmlark_sandbox_file(sandbox, (const uint8_t *)"add.wasm", 8, bytes, size);
 wasmlark_object run = wasmlark_sandbox_run(sandbox, (const uint8_t *)"main.star", 9, script, length);
 size_t count;
 const uint8_t *output = wasmlark_run_text(run, WASMLARK_TEXT_OUTPUT, &count);
 wasmlark_free(run);
 wasmlark_free(sandbox);

 # Values and functions

 A value is an object too: made by a call for its type, asked for its kind and content, and freed, also where it was passed on. A function
 of the application gets values, and returns one that it made, or an error. JSON text becomes a value, and a value JSON text.

 # Imports

 A module imports a function of the application with no script between. It gets numbers, writes its result, and
 copies from and to the memory of the guest that called it, with the `wasmlark_caller` that is good until it returns.

 # Sessions and interrupts

 A session is a script that was run and is kept: its functions are called with values, and find all
 as the last call left it. A load and a call each have a run as their result, as a whole script has.
 An interrupt ends what runs, from another thread:

 wasmlark_object session;
 wasmlark_object loaded = wasmlark_session_load(sandbox, (const uint8_t *)"main.star", 9, script, length, &session);
 wasmlark_object stop = wasmlark_session_interrupt(session); // For another thread: wasmlark_interrupt_now(stop).
 wasmlark_object call = wasmlark_session_call(session, (const uint8_t *)"decide", 6, arguments, 2);
 wasmlark_object decision = wasmlark_run_value(call);

 # Strings and bytes

 A pointer and a length in bytes, no NUL; names and scripts are UTF-8. A null pointer is allowed with
 the length 0. What a call is given is copied. What `wasmlark_run_text` returns lives until the run
 is freed.

 # Threads

 Any function may be called from any thread. A sandbox may run several scripts at a time; it cannot
 be changed meanwhile. A session has one call at a time. What comes too early is
 `WASMLARK_STATUS_BUSY`. A script, and each call of a session, runs in a thread of its own, with
 room on its stack for all that the limits allow, whatever thread asks for it; but on the thread that
 asks in a build for wasm32, which has no other.

 # Panics

 None crosses the interface: `WASMLARK_STATUS_PANIC` says that there was one, which is a defect of
 wasmlark. A build with `panic = "abort"`, and so one for wasm32, has none to catch. */


#ifndef WASMLARK_H
#define WASMLARK_H

#include <stddef.h>
#include <stdint.h>

/**
 * The limits of a sandbox.
 */
typedef enum wasmlark_limit {
  /**
   * WebAssembly fuel for the whole evaluation: one unit for most instructions.
   *
   * Instructions are paid for where the function, loop or arm of an `if` around them begins, whether a
   * branch then skips them or not. In a function with a `br_table`, what a branch may skip begins a charge
   * of its own once it has more than some thirty instructions. Copying, filling and growing cost one more
   * unit for each 64 bytes. The default is enough for some fifteen seconds to two minutes of most code.
   * Without this limit, code runs faster, and an endless loop in a module never ends.
   *
   * Default 100000000000, at least 0; `UINT64_MAX` turns it off.
   */
  WASMLARK_LIMIT_FUEL = 0,
  /**
   * Bytes of all linear memories together.
   *
   * Default 1073741824, at least 0.
   */
  WASMLARK_LIMIT_MEMORY = 1,
  /**
   * Elements of all tables together.
   *
   * Default 10000000, at least 0.
   */
  WASMLARK_LIMIT_TABLE_ELEMENTS = 2,
  /**
   * Instances and stores that exist at one time.
   *
   * Closing a store frees its instances.
   *
   * Default 100000, at least 0.
   */
  WASMLARK_LIMIT_INSTANCES = 3,
  /**
   * Depth of nested WebAssembly calls.
   *
   * A deeper call traps with `stack-overflow`. A level may use 1 KiB of value stack on average.
   *
   * Default 8192, at least 64.
   */
  WASMLARK_LIMIT_STACK_DEPTH = 4,
  /**
   * Starlark ticks: one for each function call and each round of a loop.
   *
   * A call from WebAssembly counts too. A limit below ten thousand is exact; a larger one is passed by at most
   * a thousand ticks, as is any by each file that spends ticks before it loads another.
   *
   * Default 1000000000, at least 1.
   */
  WASMLARK_LIMIT_TICKS = 5,
  /**
   * Bytes of the Starlark heap.
   *
   * Checked as often as ticks are. Bytes that were copied out of memories may take as much again, and so
   * may the code of all modules, which counts as about eight times their bytes.
   *
   * Default 1073741824, at least 1.
   */
  WASMLARK_LIMIT_HEAP = 6,
  /**
   * Depth of nested Starlark calls, including calls into WebAssembly and back.
   *
   * A level needs a few KiB of native stack.
   *
   * Default 200, at least 1.
   */
  WASMLARK_LIMIT_CALL_DEPTH = 7,
  /**
   * Bytes that a script may print, or write to standard output and error.
   *
   * The standard output and error that are kept for all WASI guests together may take as much again.
   *
   * Default 67108864, at least 0.
   */
  WASMLARK_LIMIT_OUTPUT = 8,
  /**
   * Bytes of the files of all WASI machines together.
   *
   * A file, directory or link counts some 400 bytes more than its content. Standard input counts too. A
   * guest that reaches the limit gets `ENOSPC`. The files that the script itself writes, and its own
   * standard input, may take as much again.
   *
   * Default 268435456, at least 0.
   */
  WASMLARK_LIMIT_FILES = 9,
  /**
   * Depth of a script's source: brackets, blocks, and operators in a row.
   *
   * Deeper source would overflow the parser's native stack. For the default, 1 MiB of stack is enough in
   * any build.
   *
   * Default 200, at least 0.
   */
  WASMLARK_LIMIT_NESTING = 10,
} wasmlark_limit;


/**
 * Whether a call made sense.
 */
typedef enum wasmlark_status {
  /**
   * It did.
   */
  WASMLARK_STATUS_OK = 0,
  /**
   * There is no such text or number: the run has no exit code, say.
   */
  WASMLARK_STATUS_ABSENT = 1,
  /**
   * A pointer is null, and its length is not 0; or a place for a result is null.
   */
  WASMLARK_STATUS_NULL = 2,
  /**
   * A text is not UTF-8.
   */
  WASMLARK_STATUS_UTF8 = 3,
  /**
   * The object was freed, was never made, or is of the other kind.
   */
  WASMLARK_STATUS_HANDLE = 4,
  /**
   * A number is none of the enumeration's, or a value is out of range.
   */
  WASMLARK_STATUS_ARGUMENT = 5,
  /**
   * The sandbox runs a script now, and cannot be changed; or the session is in a call.
   */
  WASMLARK_STATUS_BUSY = 6,
  /**
   * There is no memory, thread or number left for it.
   */
  WASMLARK_STATUS_RESOURCES = 7,
  /**
   * wasmlark has a defect: it panicked.
   */
  WASMLARK_STATUS_PANIC = 8,
} wasmlark_status;

/**
 * How a run ended.
 */
typedef enum wasmlark_kind {
  /**
   * At its end.
   */
  WASMLARK_KIND_DONE = 0,
  /**
   * The script failed: its syntax, its types, a `fail(…)`.
   */
  WASMLARK_KIND_SCRIPT = 1,
  /**
   * A value of the wrong type or out of range.
   */
  WASMLARK_KIND_VALUE = 2,
  /**
   * Bytes that are no module, or one that cannot run here.
   */
  WASMLARK_KIND_MODULE = 3,
  /**
   * Imports and exports that do not fit each other.
   */
  WASMLARK_KIND_LINK = 4,
  /**
   * A handle whose store is closed, or of another evaluation.
   */
  WASMLARK_KIND_HANDLE = 5,
  /**
   * A file that is not there.
   */
  WASMLARK_KIND_LOAD = 6,
  /**
   * WebAssembly code trapped: `WASMLARK_TEXT_TRAP` has the code.
   */
  WASMLARK_KIND_TRAP = 7,
  /**
   * A limit ended it: `WASMLARK_TEXT_LIMIT` has its name.
   */
  WASMLARK_KIND_LIMIT = 8,
  /**
   * Something that this interface has no number for yet.
   */
  WASMLARK_KIND_OTHER = 9,
  /**
   * A function of the application failed.
   */
  WASMLARK_KIND_HOST = 10,
  /**
   * The script ended itself with `exit(code)`: `WASMLARK_NUMBER_EXIT_CODE` has the code, which is not 0.
   */
  WASMLARK_KIND_EXIT = 11,
  /**
   * A `wasmlark_interrupt_now` ended it.
   */
  WASMLARK_KIND_INTERRUPTED = 12,
  /**
   * A deadline ended it: another time it might not.
   */
  WASMLARK_KIND_DEADLINE = 13,
  /**
   * The object is no run.
   */
  WASMLARK_KIND_NO_RUN = -1,
} wasmlark_kind;

/**
 * The type of a value.
 */
typedef enum wasmlark_type {
  /**
   * `None`.
   */
  WASMLARK_TYPE_NONE = 0,
  /**
   * `True` or `False`: `wasmlark_value_get_int` gives 1 or 0.
   */
  WASMLARK_TYPE_BOOL = 1,
  /**
   * An int of any size.
   */
  WASMLARK_TYPE_INT = 2,
  /**
   * A float.
   */
  WASMLARK_TYPE_FLOAT = 3,
  /**
   * A string: `wasmlark_value_text` gives it.
   */
  WASMLARK_TYPE_STRING = 4,
  /**
   * Bytes: `wasmlark_value_text` gives them.
   */
  WASMLARK_TYPE_BYTES = 5,
  /**
   * A list.
   */
  WASMLARK_TYPE_LIST = 6,
  /**
   * A tuple.
   */
  WASMLARK_TYPE_TUPLE = 7,
  /**
   * A dict: keys and values in its order.
   */
  WASMLARK_TYPE_DICT = 8,
  /**
   * A set: its elements in its order.
   */
  WASMLARK_TYPE_SET = 9,
  /**
   * A struct or record: the names of its fields are its keys.
   */
  WASMLARK_TYPE_STRUCT = 10,
  /**
   * A function or another value that cannot leave its script: its name alone.
   */
  WASMLARK_TYPE_OPAQUE = 11,
  /**
   * The object is no value.
   */
  WASMLARK_TYPE_NO_VALUE = -1,
} wasmlark_type;

/**
 * The texts of a run, UTF-8.
 */
typedef enum wasmlark_text {
  /**
   * What the script printed and wrote to standard output, as far as no function took it; what is not UTF-8 is replaced.
   * Empty for a load of a session that failed.
   */
  WASMLARK_TEXT_OUTPUT = 0,
  /**
   * The value that `wasmlark_run_value` gives, as Starlark source; absent where it failed.
   */
  WASMLARK_TEXT_VALUE = 1,
  /**
   * Why it failed, for a person to read, with source and frames; absent where it did not.
   */
  WASMLARK_TEXT_ERROR = 2,
  /**
   * The error's message alone.
   */
  WASMLARK_TEXT_MESSAGE = 3,
  /**
   * The trap's code, as in "unreachable"; absent where it was no trap.
   */
  WASMLARK_TEXT_TRAP = 4,
  /**
   * The limit's name, as in "fuel"; absent where it was none.
   */
  WASMLARK_TEXT_LIMIT = 5,
  /**
   * The name of the script that the error happened in, where there is one.
   */
  WASMLARK_TEXT_FILE = 6,
} wasmlark_text;

/**
 * The numbers of a run. What a session spent is counted from its load to the end of the call; it is absent where the
 * load failed.
 */
typedef enum wasmlark_number {
  /**
   * WebAssembly fuel that was used; absent where it is not metered.
   */
  WASMLARK_NUMBER_FUEL = 0,
  /**
   * Starlark ticks.
   */
  WASMLARK_NUMBER_TICKS = 1,
  /**
   * The most bytes of linear memory in use at once.
   */
  WASMLARK_NUMBER_MEMORY_PEAK = 2,
  /**
   * The line of the error, from 1, where there is one.
   */
  WASMLARK_NUMBER_LINE = 3,
  /**
   * The column of the error in characters, from 1, where there is one.
   */
  WASMLARK_NUMBER_COLUMN = 4,
  /**
   * The exit code, as an `int32_t`, where a WASI guest, or the script itself, ended the script by one.
   */
  WASMLARK_NUMBER_EXIT_CODE = 5,
} wasmlark_number;

/**
 * The type of a number of WebAssembly.
 */
typedef enum wasmlark_wasm_type {
  /**
   * 32 bits.
   */
  WASMLARK_WASM_TYPE_I32 = 0,
  /**
   * 64 bits.
   */
  WASMLARK_WASM_TYPE_I64 = 1,
  /**
   * A float of 32 bits.
   */
  WASMLARK_WASM_TYPE_F32 = 2,
  /**
   * A float of 64 bits.
   */
  WASMLARK_WASM_TYPE_F64 = 3,
} wasmlark_wasm_type;

/**
 * The guest that called an import: good in the thread of that call, and until it returns.
 */
typedef uint64_t wasmlark_caller;

/**
 * A sandbox, a run, a session, an interrupt, a value or an error. 0 is none.
 */
typedef uint32_t wasmlark_object;

/**
 * A function of the application. It gets its arguments as values, which are freed after it has returned, and returns a value
 * that it made, which is freed for it; or what `wasmlark_error` made; or 0, which is an error too. It must return: no exception of
 * C++, no `longjmp`.
 */
typedef wasmlark_object (*wasmlark_function)(void *context,
                                             const wasmlark_object *arguments,
                                             size_t count);

/**
 * Frees what a function has as its context, once, in whatever thread ends its last use. It must not use the sandbox.
 */
typedef void (*wasmlark_drop)(void *context);

/**
 * A number of WebAssembly: the member of its type.
 */
typedef union wasmlark_wasm {
  /**
   * For `WASMLARK_WASM_TYPE_I32`.
   */
  int32_t i32;
  /**
   * For `WASMLARK_WASM_TYPE_I64`.
   */
  int64_t i64;
  /**
   * For `WASMLARK_WASM_TYPE_F32`.
   */
  float f32;
  /**
   * For `WASMLARK_WASM_TYPE_F64`.
   */
  double f64;
} wasmlark_wasm;

/**
 * A function of the application that modules import. `arguments` has a number for each parameter, good during the call only; the
 * results go to `results`, which has 0 in it for each. Returns 0, or what `wasmlark_error` made, which ends the
 * guest and is freed. It must return: no exception of C++, no `longjmp`.
 */
typedef wasmlark_object (*wasmlark_import)(void *context,
                                           wasmlark_caller caller,
                                           const union wasmlark_wasm *arguments,
                                           union wasmlark_wasm *results);

/**
 * Finds a file that the sandbox has not got: a script that `load` names, a module or other data. `name`, UTF-8, is the path with `/`
 * that is asked for, good during the call only. Returns a value that it made, a string or bytes, which is freed for it; 0 for a
 * name that it does not know; or what `wasmlark_error` made, whose message is that of the run, with `WASMLARK_KIND_LOAD`
 * as its kind. It must return: no exception of C++, no `longjmp`.
 */
typedef wasmlark_object (*wasmlark_loader)(void *context, const uint8_t *name, size_t length);

/**
 * Takes what a script prints, a line at a time with its line feed, in the thread that runs it.
 */
typedef void (*wasmlark_print)(void *context, const uint8_t *text, size_t length);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, as in "0.1.0"; its length in bytes goes to `length`, which may be null.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_version(size_t *length);

#if defined(__wasm__)
/**
 * `length` bytes, zeros, for the host to write to; at least one, so that each has an address of its own.
 * Null if there is not so much memory.
 */
uint8_t *wasmlark_buffer_new(size_t length);
#endif

#if defined(__wasm__)
/**
 * Frees a buffer.
 */
enum wasmlark_status wasmlark_buffer_free(uint8_t *address);
#endif

/**
 * Gives the size in bytes of the memory of the guest that called an import: the one that it exports as `memory`, else the first that
 * it imports or exports. `WASMLARK_STATUS_ABSENT` if it has none.
 *
 * # Safety
 *
 * `size` is null, which is an error, or a `uint64_t` can be written there.
 */
enum wasmlark_status wasmlark_caller_memory_size(wasmlark_caller caller,
                                                 uint64_t *size);

/**
 * Copies `length` bytes from `address` of the memory of the guest that called an import to `place`.
 * `WASMLARK_STATUS_ARGUMENT` if they do not lie within it, and nothing is copied: an address comes from the guest.
 *
 * # Safety
 *
 * `length` bytes can be written at `place`, which may be null where that is 0.
 */
enum wasmlark_status wasmlark_caller_read(wasmlark_caller caller,
                                          uint64_t address,
                                          uint8_t *place,
                                          size_t length);

/**
 * Copies `length` bytes from `start` to `address` of the memory of the guest that called an import; all of them, or none:
 * `WASMLARK_STATUS_ARGUMENT` if they do not lie within it.
 *
 * # Safety
 *
 * `length` bytes can be read at `start`, which may be null where that is 0.
 */
enum wasmlark_status wasmlark_caller_write(wasmlark_caller caller,
                                           uint64_t address,
                                           const uint8_t *start,
                                           size_t length);

/**
 * Makes an error, for a function to return: its message is that of the run, and `WASMLARK_KIND_HOST` its kind.
 *
 * # Safety
 *
 * `length` bytes can be read at `message`, which may be null where that is 0.
 */
wasmlark_object wasmlark_error(const uint8_t *message,
                               size_t length);

/**
 * Gives scripts a function, under a name that is no builtin's. `context` is passed along, and `drop`, which may be null, frees it once no
 * script can call the function any more; also where this fails. Arguments go by position.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, which may be null where that is 0. `function` may be called from other threads, several
 * at a time, with `context`, and then `drop`.
 */
enum wasmlark_status wasmlark_sandbox_function(wasmlark_object sandbox,
                                               const uint8_t *name,
                                               size_t name_length,
                                               wasmlark_function function,
                                               void *context,
                                               wasmlark_drop drop);

/**
 * Gives scripts a value, under a name that is no builtin's. It is copied and frozen.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, which may be null where that is 0.
 */
enum wasmlark_status wasmlark_sandbox_value(wasmlark_object sandbox,
                                            const uint8_t *name,
                                            size_t name_length,
                                            wasmlark_object value);

/**
 * Gives modules a function that they import from `module` under `name`, in place of one that was given before. No script stands
 * between; what a script gives itself in `imports` goes first. `parameters` and `results` have a `wasmlark_wasm_type` in each
 * byte; there are at most a thousand of each. `context` is passed along, and `drop`, which may be null, frees it
 * once no module can call the function any more; also where this fails.
 *
 * An error of the function ends the guest, and the run with it: `WASMLARK_KIND_HOST` is its kind. What the function does costs no fuel.
 *
 * # Safety
 *
 * `module_length` bytes can be read at `module`, `name_length` at `name`, `parameter_count` at `parameters`, and `result_count` at
 * `results`; each may be null where its length is 0. `import` may be called from other threads, several at a time, with
 * `context`, and then `drop`.
 */
enum wasmlark_status wasmlark_sandbox_import(wasmlark_object sandbox,
                                             const uint8_t *module,
                                             size_t module_length,
                                             const uint8_t *name,
                                             size_t name_length,
                                             const uint8_t *parameters,
                                             size_t parameter_count,
                                             const uint8_t *results,
                                             size_t result_count,
                                             wasmlark_import import,
                                             void *context,
                                             wasmlark_drop drop);

/**
 * Makes an interrupt that ends all that a sandbox runs: scripts, loads, and the calls of its sessions; also while they run.
 * 0 if it is no sandbox. Free it.
 */
wasmlark_object wasmlark_sandbox_interrupt(wasmlark_object sandbox);

/**
 * Ends what runs now, which is then `WASMLARK_KIND_INTERRUPTED`, and what is started later, as soon as that spends a thousand
 * ticks. It returns at once, from any thread, and waits for nothing. For a session this lasts until one call has ended because of
 * it; for a sandbox, until `wasmlark_interrupt_reset`. It reaches a guest in a loop only as
 * `wasmlark_sandbox_interruptible` says.
 */
enum wasmlark_status wasmlark_interrupt_now(wasmlark_object interrupt);

/**
 * Ends what still runs so many milliseconds from now, which is then `WASMLARK_KIND_DEADLINE`, and what is started after that,
 * until `wasmlark_interrupt_reset`.
 */
enum wasmlark_status wasmlark_interrupt_after(wasmlark_object interrupt,
                                              uint64_t milliseconds);

/**
 * Takes `wasmlark_interrupt_now` and `wasmlark_interrupt_after` back.
 */
enum wasmlark_status wasmlark_interrupt_reset(wasmlark_object interrupt);

/**
 * Makes a value of a JSON text: an object becomes a dict in its order, an array a list, a number with a fraction or an exponent, or
 * beyond 64 bits, a float. 0 if it is no JSON, or nested deeper than 127 levels: `wasmlark_last_error` says where.
 *
 * # Safety
 *
 * `length` bytes can be read at `start`, which may be null where that is 0.
 */
wasmlark_object wasmlark_value_from_json(const uint8_t *start,
                                         size_t length);

/**
 * Makes a string of a value: its JSON text, on one line. A tuple and a set become arrays, a struct an object; bytes an array of
 * their numbers, a float that is infinite or not a number `null`, an int beyond 128 bits and a function a string. 0 where a dict has
 * a key that is no string, int, float or bool. Free it.
 */
wasmlark_object wasmlark_value_to_json(wasmlark_object value);

/**
 * Asks `loader` for each file that scripts need and the sandbox has not got, in place of a loader that was set before. `context` is
 * passed along, and `drop`, which may be null, frees it once no script can need a file any more; also where this fails.
 *
 * # Safety
 *
 * `loader` may be called from other threads, several at a time, with `context`, and then `drop`.
 */
enum wasmlark_status wasmlark_sandbox_loader(wasmlark_object sandbox,
                                             wasmlark_loader loader,
                                             void *context,
                                             wasmlark_drop drop);

/**
 * What was wrong with the last call on this thread that returned a status other than OK, or 0 for an
 * object, or null for a text; its length in bytes goes to `length`. Good until the next such call on
 * this thread. Empty if there was none.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_last_error(size_t *length);

/**
 * Frees an object of any kind. What runs in a sandbox or session meanwhile goes on to its end; sessions, runs and interrupts
 * outlive the sandbox that they come from. To free 0 is to do nothing.
 */
enum wasmlark_status wasmlark_free(wasmlark_object object);

/**
 * How the script ended.
 */
enum wasmlark_kind wasmlark_run_kind(wasmlark_object run);

/**
 * One of the texts of a run, a `wasmlark_text`; its length in bytes goes to `length`. Null if it is absent,
 * or the call makes no sense. It lives until the run is freed.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_run_text(wasmlark_object run,
                                 uint32_t text,
                                 size_t *length);

/**
 * One of the numbers of a run, a `wasmlark_number`: it goes to `value`.
 *
 * # Safety
 *
 * `value` is null, which is an error, or a `uint64_t` can be written there.
 */
enum wasmlark_status wasmlark_run_number(wasmlark_object run, uint32_t number, uint64_t *value);

/**
 * The value of a run's last statement, or of a call, as a value; `None` for the load of a session. 0 where the run failed. Free it.
 */
wasmlark_object wasmlark_run_value(wasmlark_object run);

/**
 * A sandbox with default limits and no files; 0 if there is no more room for one. Free it with
 * `wasmlark_free`.
 */
wasmlark_object wasmlark_sandbox_new(void);

/**
 * Sets one of the limits, a `wasmlark_limit`. A value below a limit's minimum is raised to it; `UINT64_MAX` turns
 * off a limit that can be turned off.
 */
enum wasmlark_status wasmlark_sandbox_limit(wasmlark_object sandbox,
                                            uint32_t limit,
                                            uint64_t value);

/**
 * Adds a file, a script or a module, under a name for `load` and `wasm.Module`: a path with `/`, in
 * UTF-8. A file of the same name is replaced.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `content_length` at `content`; either may be null where
 * its length is 0.
 */
enum wasmlark_status wasmlark_sandbox_file(wasmlark_object sandbox,
                                           const uint8_t *name,
                                           size_t name_length,
                                           const uint8_t *content,
                                           size_t content_length);

/**
 * Adds one more element, UTF-8, to the `argv` of scripts.
 *
 * # Safety
 *
 * `length` bytes can be read at `argument`, which may be null where that is 0.
 */
enum wasmlark_status wasmlark_sandbox_argument(wasmlark_object sandbox,
                                               const uint8_t *argument,
                                               size_t length);

/**
 * Gives each line that a script prints to `print`, at once, instead of keeping it; `context` is passed
 * along. The text is good during the call only. The function must return: no exception of C++, no
 * `longjmp`.
 *
 * # Safety
 *
 * `print` may be called from other threads, with `context`, until the sandbox is freed and its scripts
 * have ended.
 */
enum wasmlark_status wasmlark_sandbox_on_print(wasmlark_object sandbox,
                                               wasmlark_print print,
                                               void *context);

/**
 * Sets whether an interrupt and a deadline reach a guest that runs on without a call of a script: not if `is_interruptible`
 * is 0, which is so in a new sandbox, for such a guest runs faster. They reach the script itself in any case.
 */
enum wasmlark_status wasmlark_sandbox_interruptible(wasmlark_object sandbox,
                                                    uint32_t is_interruptible);

/**
 * Sets whether guests keep frames, so that the report of a trap names the functions that were running: not if `has_backtrace`
 * is 0, which is so in a new sandbox. Guests that do spend about a third more fuel, and take up to twice the time.
 */
enum wasmlark_status wasmlark_sandbox_backtrace(wasmlark_object sandbox, uint32_t has_backtrace);

/**
 * Sets how many bytes of compiled code a sandbox keeps for its next run, about eight times those of the modules; 256 MiB in a
 * new one. A run that begins with more in the sandbox begins with none. What running scripts and sessions use stays theirs: 0 keeps
 * nothing beyond that.
 */
enum wasmlark_status wasmlark_sandbox_keep_code(wasmlark_object sandbox,
                                                uint64_t bytes);

/**
 * Runs a script to its end. `name`, UTF-8, is for messages, and for names in the script that begin with
 * `./`. The result is a run, also where the script failed: `wasmlark_run_kind` tells. 0 if it could not
 * be started. Free it with `wasmlark_free`.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null where its
 * length is 0.
 */
wasmlark_object wasmlark_sandbox_run(wasmlark_object sandbox,
                                     const uint8_t *name,
                                     size_t name_length,
                                     const uint8_t *script,
                                     size_t script_length);

/**
 * Runs a script and keeps it, with all that it made: its functions can be called. The result is a run, also where the script
 * failed; `session` gets the session, or 0 where there is none. 0 if it could not be started. Free both with
 * `wasmlark_free`, in any order; the sandbox may be freed before.
 *
 * A session keeps the files, functions and limits that the sandbox has now. All its calls together have those limits, until
 * `wasmlark_session_refill`. It may be used from any thread, one call at a time: another one meanwhile is
 * `WASMLARK_STATUS_BUSY`. Sessions of one sandbox share what was compiled, and run side by side.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null where its
 * length is 0. `session` is null, which is an error, or a `wasmlark_object` can be written there.
 */
wasmlark_object wasmlark_session_load(wasmlark_object sandbox,
                                      const uint8_t *name,
                                      size_t name_length,
                                      const uint8_t *script,
                                      size_t script_length,
                                      wasmlark_object *session);

/**
 * Calls the function that a session's script has under this name, with copies of `count` values, by position. The result is a
 * run, also where the call failed: `wasmlark_run_kind` tells, `wasmlark_run_value` has the value, `WASMLARK_TEXT_OUTPUT` what
 * the call printed. 0 if it could not be started. Free it with `wasmlark_free`, and the values as before.
 *
 * After a call that failed, a trap or an interrupt among the reasons, the session can be called again; what the call
 * changed stays changed.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `count` objects at `arguments`; either may be null where its length is 0.
 */
wasmlark_object wasmlark_session_call(wasmlark_object session,
                                      const uint8_t *name,
                                      size_t name_length,
                                      const wasmlark_object *arguments,
                                      size_t count);

/**
 * Does what `wasmlark_session_call` does, with limits for this call, within what the session has left: units of WebAssembly
 * fuel, Starlark ticks, and milliseconds. `UINT64_MAX` is none. What the first two end is `WASMLARK_KIND_LIMIT`, and the same
 * everywhere; what the last one ends is `WASMLARK_KIND_DEADLINE`, and depends on the machine and its load. It reaches a guest
 * in a loop only as `wasmlark_sandbox_interruptible` says.
 *
 * # Safety
 *
 * As `wasmlark_session_call`.
 */
wasmlark_object wasmlark_session_call_within(wasmlark_object session,
                                             const uint8_t *name,
                                             size_t name_length,
                                             const wasmlark_object *arguments,
                                             size_t count,
                                             uint64_t fuel,
                                             uint64_t ticks,
                                             uint64_t milliseconds);

/**
 * A copy of the value of a global variable of a session's script. 0 if it has none of this name, or its value is too deep or
 * too large to leave the script. Free it.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, which may be null where that is 0.
 */
wasmlark_object wasmlark_session_get(wasmlark_object session,
                                     const uint8_t *name,
                                     size_t name_length);

/**
 * Gives a session once more what the sandbox's limits allow to be spent: fuel, ticks and printed bytes. What is in use counts
 * as before.
 */
enum wasmlark_status wasmlark_session_refill(wasmlark_object session);

/**
 * Makes an interrupt that ends a session's calls: also while one runs. 0 if it is no session. Free it.
 */
wasmlark_object wasmlark_session_interrupt(wasmlark_object session);

/**
 * Makes `None`. Free it, as every value, with `wasmlark_free`: also one that was passed to a call.
 */
wasmlark_object wasmlark_value_none(void);

/**
 * Makes a bool: `True` unless `value` is 0.
 */
wasmlark_object wasmlark_value_bool(uint32_t value);

/**
 * Makes an int.
 */
wasmlark_object wasmlark_value_int(int64_t value);

/**
 * Makes a float.
 */
wasmlark_object wasmlark_value_float(double value);

/**
 * Makes a string of UTF-8.
 *
 * # Safety
 *
 * `length` bytes can be read at `start`, which may be null where that is 0.
 */
wasmlark_object wasmlark_value_string(const uint8_t *start, size_t length);

/**
 * Makes bytes.
 *
 * # Safety
 *
 * As `wasmlark_value_string`.
 */
wasmlark_object wasmlark_value_bytes(const uint8_t *start, size_t length);

/**
 * Makes a list of copies of `count` values.
 *
 * # Safety
 *
 * `count` objects can be read at `items`, which may be null where that is 0.
 */
wasmlark_object wasmlark_value_list(const wasmlark_object *items, size_t count);

/**
 * Makes a dict of copies of `count` keys and `count` values: `entries` has a key, its value, the next key, and so on.
 *
 * # Safety
 *
 * Twice `count` objects can be read at `entries`, which may be null where that is 0.
 */
wasmlark_object wasmlark_value_dict(const wasmlark_object *entries,
                                    size_t count);

/**
 * Tells the type of a value.
 */
enum wasmlark_type wasmlark_value_type(wasmlark_object value);

/**
 * Gives an int, or 1 or 0 for a bool. `WASMLARK_STATUS_ABSENT` for another type and for an int that does not fit.
 *
 * # Safety
 *
 * `number` is null, or an `int64_t` can be written there.
 */
enum wasmlark_status wasmlark_value_get_int(wasmlark_object value,
                                            int64_t *number);

/**
 * Gives a float. `WASMLARK_STATUS_ABSENT` for another type.
 *
 * # Safety
 *
 * `number` is null, or a `double` can be written there.
 */
enum wasmlark_status wasmlark_value_get_float(wasmlark_object value, double *number);

/**
 * The text of a string, the content of bytes, and of any other value what Starlark's `repr` makes of it; its length
 * goes to `length`, which may be null. Good until the value is freed. Null for an object that is no value.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_value_text(wasmlark_object value,
                                   size_t *length);

/**
 * The number of elements of a list, tuple or set, or of entries of a dict, struct or record; 0 for all else.
 */
size_t wasmlark_value_count(wasmlark_object value);

/**
 * A copy of the element at `index`, from 0, or of an entry's value. 0 where there is none. Free it.
 */
wasmlark_object wasmlark_value_item(wasmlark_object value, size_t index);

/**
 * A copy of the key of the entry at `index`, from 0, of a dict, struct or record. 0 where there is none. Free it.
 */
wasmlark_object wasmlark_value_key(wasmlark_object value,
                                   size_t index);

/**
 * A copy of the value that a dict has under a string, or a struct or record under the name of a field. 0 where there
 * is none. Free it.
 *
 * # Safety
 *
 * `length` bytes can be read at `name`, which may be null where that is 0.
 */
wasmlark_object wasmlark_value_get(wasmlark_object value,
                                   const uint8_t *name,
                                   size_t length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WASMLARK_H */
