/* wasmlark: Starlark scripts that load, link and call WebAssembly modules.

 Generated from capi/src by `UPDATE=1 cargo test --package wasmlark-capi --test header`. Do not edit.

 The C interface of wasmlark, declared in `include/wasmlark.h`. In a build for wasm32, these functions are the
 module's exports.

 A sandbox holds limits, arguments and files, and runs scripts. Each run is an object, whose texts and
 numbers can be read. An object is a number that is never reused, so the library detects
 one that was freed or never made. An invalid call returns a status, 0 or null, and
 `wasmlark_last_error` then says what was wrong.

 wasmlark_object sandbox = wasmlark_sandbox_new();
 wasmlark_sandbox_limit(sandbox, WASMLARK_LIMIT_FUEL, 1000000);
 wasmlark_sandbox_file(sandbox, (const uint8_t *)"add.wasm", 8, bytes, size);
 wasmlark_object run = wasmlark_sandbox_run(sandbox, (const uint8_t *)"main.star", 9, script, length);
 size_t count;
 const uint8_t *output = wasmlark_run_text(run, WASMLARK_TEXT_OUTPUT, &count);
 wasmlark_free(run);
 wasmlark_free(sandbox);

 # Values and functions

 A value is an object too: one call per type makes it, others return its type and content, and the application frees it, even after
 passing it to a call. A function of the application receives values and returns a value that it made, or an error. Values convert from
 and to JSON text.

 # Imports

 A module can import a function of the application directly, with no script in between. The function receives
 numbers, writes its results, and copies to and from the memory of the calling guest through a `wasmlark_caller`,
 which is valid until the function returns.

 # Files and streams

 Scripts find the files that were added to the sandbox, and files that a loader provides; a lister names the latter. Standard
 input is set before a run. The run has standard output, standard error and, if the sandbox is writable, the files that the
 script wrote.

 # Sessions and interrupts

 A session keeps a script that has run, so that its functions can be called with values. Each call
 sees the state that the last one left. Like a whole script, a load and a call each result in a run.
 Another thread can stop what is running with an interrupt:

 wasmlark_object session;
 wasmlark_object loaded = wasmlark_session_load(sandbox, (const uint8_t *)"main.star", 9, script, length, &session);
 wasmlark_object stop = wasmlark_session_interrupt(session); // In another thread: wasmlark_interrupt_now(stop).
 wasmlark_object call = wasmlark_session_call(session, (const uint8_t *)"decide", 6, arguments, 2);
 wasmlark_object decision = wasmlark_run_value(call);

 # Strings and bytes

 Strings and bytes are passed as a pointer and a length in bytes, without a NUL; names and scripts
 are UTF-8. A null pointer is allowed if the length is 0. The library copies what it is passed. A
 text from `wasmlark_run_text` is valid until the run is freed.

 # Threads

 Any function may be called from any thread. A sandbox may run several scripts at a time, but cannot
 be changed while one runs. A session runs one call at a time. A call that comes too early returns
 `WASMLARK_STATUS_BUSY`. Each script, and each call of a session, runs in a thread of its own, with a
 stack large enough for all that the limits allow, whichever thread asks for it. A build for wasm32
 has no other thread and runs it on the calling one.

 # Panics

 No panic crosses the interface: `WASMLARK_STATUS_PANIC` reports one, which is a defect of
 wasmlark. A build with `panic = "abort"`, such as one for wasm32, cannot catch panics. */


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
   * Instructions are charged where the enclosing function, loop or arm of an `if` begins, even if a branch
   * then skips them. In a function with a `br_table`, code that a branch may skip is charged separately if
   * it has more than some thirty instructions. Copying, filling and growing cost one more unit for each 64
   * bytes. The default is enough for some fifteen seconds to two minutes of most code. Without this limit,
   * code runs faster, and an endless loop in a module never ends.
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
   * A call from WebAssembly counts too. A limit below ten thousand is exact. A larger one is exceeded by at
   * most a thousand ticks, and any limit by as many for each file that spends ticks before it loads another.
   *
   * Default 1000000000, at least 1.
   */
  WASMLARK_LIMIT_TICKS = 5,
  /**
   * Bytes of the Starlark heap.
   *
   * Checked as often as ticks are. Bytes copied out of memories may take as much again, and so may the code
   * of all modules, which counts as about eight times their bytes. An isolated evaluator may take this much and
   * 32 MiB, beside what files hold, and each of its allocations is checked. The code of its guests is not in it.
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
   * The standard output and error kept for all WASI guests together may take as much again.
   *
   * Default 67108864, at least 0.
   */
  WASMLARK_LIMIT_OUTPUT = 8,
  /**
   * Bytes of the files of all WASI machines together.
   *
   * A file, directory or link counts some 400 bytes more than its content. Standard input counts too. A file
   * of `wasmlark wasi --dir` counts its content only once the guest has changed it. A guest that reaches the
   * limit gets `ENOSPC`. The files that the script itself writes, and its own standard input, may take as
   * much again.
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
  /**
   * Cost of an isolated run: all instructions of the evaluator and of its guests.
   *
   * Only an isolated sandbox counts it. There, nothing that a script does is free: parsing, sorting and the
   * arithmetic of large ints count as much as a loop. A unit of a guest's fuel is one unit of cost, too. Compiling
   * a module costs 40 units for each byte, and each crossing between the script and a guest some hundred units.
   * The default is enough for some minutes of a script, and for as much of a guest as that of `fuel`.
   *
   * Default 100000000000, at least 0; `UINT64_MAX` turns it off.
   */
  WASMLARK_LIMIT_COST = 11,
} wasmlark_limit;


/**
 * Whether a call was valid.
 */
typedef enum wasmlark_status {
  /**
   * Success.
   */
  WASMLARK_STATUS_OK = 0,
  /**
   * There is no such text or number: the run has no exit code, for example.
   */
  WASMLARK_STATUS_ABSENT = 1,
  /**
   * A pointer is null although its length is not 0, or the place for a result is null.
   */
  WASMLARK_STATUS_NULL = 2,
  /**
   * A text is not UTF-8.
   */
  WASMLARK_STATUS_UTF8 = 3,
  /**
   * The object was freed, was never made, or is of another kind.
   */
  WASMLARK_STATUS_HANDLE = 4,
  /**
   * A number does not belong to the enumeration, or a value is out of range.
   */
  WASMLARK_STATUS_ARGUMENT = 5,
  /**
   * The sandbox is running a script and cannot be changed, or the session is in a call.
   */
  WASMLARK_STATUS_BUSY = 6,
  /**
   * No memory, thread or object number is left for it.
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
   * The script completed.
   */
  WASMLARK_KIND_DONE = 0,
  /**
   * The script failed: a syntax error, a type error, a `fail(…)`.
   */
  WASMLARK_KIND_SCRIPT = 1,
  /**
   * A value of the wrong type or out of range.
   */
  WASMLARK_KIND_VALUE = 2,
  /**
   * Bytes that are not a module, or a module that cannot run here.
   */
  WASMLARK_KIND_MODULE = 3,
  /**
   * Imports and exports that do not match.
   */
  WASMLARK_KIND_LINK = 4,
  /**
   * A handle whose store is closed or belongs to another evaluation.
   */
  WASMLARK_KIND_HANDLE = 5,
  /**
   * A file that does not exist.
   */
  WASMLARK_KIND_LOAD = 6,
  /**
   * WebAssembly code trapped: `WASMLARK_TEXT_TRAP` is the code.
   */
  WASMLARK_KIND_TRAP = 7,
  /**
   * A limit ended it: `WASMLARK_TEXT_LIMIT` is its name.
   */
  WASMLARK_KIND_LIMIT = 8,
  /**
   * An error for which this interface has no number yet.
   */
  WASMLARK_KIND_OTHER = 9,
  /**
   * A function of the application failed.
   */
  WASMLARK_KIND_HOST = 10,
  /**
   * The script ended itself with `exit(code)`: `WASMLARK_NUMBER_EXIT_CODE` is the code, which is not 0.
   */
  WASMLARK_KIND_EXIT = 11,
  /**
   * `wasmlark_interrupt_now` ended it.
   */
  WASMLARK_KIND_INTERRUPTED = 12,
  /**
   * A deadline ended it; it might not on another run.
   */
  WASMLARK_KIND_DEADLINE = 13,
  /**
   * A panic ended it, which is a defect of wasmlark or of a library that it uses. The session has ended.
   */
  WASMLARK_KIND_INTERNAL = 14,
  /**
   * The object is not a run.
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
   * A string: `wasmlark_value_text` returns it.
   */
  WASMLARK_TYPE_STRING = 4,
  /**
   * Bytes: `wasmlark_value_text` returns them.
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
   * A dict, with its entries in order.
   */
  WASMLARK_TYPE_DICT = 8,
  /**
   * A set, with its elements in order.
   */
  WASMLARK_TYPE_SET = 9,
  /**
   * A struct or record: the names of its fields are the keys.
   */
  WASMLARK_TYPE_STRUCT = 10,
  /**
   * A function or another value that cannot leave its script: only its name does.
   */
  WASMLARK_TYPE_OPAQUE = 11,
  /**
   * The object is not a value.
   */
  WASMLARK_TYPE_NO_VALUE = -1,
} wasmlark_type;

/**
 * The texts of a run, in UTF-8.
 */
typedef enum wasmlark_text {
  /**
   * What the script printed and wrote to standard output, except what a print function took. Bytes that are not UTF-8
   * are replaced.
   */
  WASMLARK_TEXT_OUTPUT = 0,
  /**
   * The value that `wasmlark_run_value` returns, as Starlark source; absent if the run failed.
   */
  WASMLARK_TEXT_VALUE = 1,
  /**
   * The full error for a person to read, with source and frames; absent if the run did not fail.
   */
  WASMLARK_TEXT_ERROR = 2,
  /**
   * The error's message alone.
   */
  WASMLARK_TEXT_MESSAGE = 3,
  /**
   * The trap's code, such as "unreachable"; absent if there was no trap.
   */
  WASMLARK_TEXT_TRAP = 4,
  /**
   * The limit's name, such as "fuel"; absent if no limit was reached.
   */
  WASMLARK_TEXT_LIMIT = 5,
  /**
   * The name of the script in which the error happened, if known.
   */
  WASMLARK_TEXT_FILE = 6,
  /**
   * What the script wrote to standard error. Bytes that are not UTF-8 are replaced.
   */
  WASMLARK_TEXT_ERROR_OUTPUT = 7,
  /**
   * The fuel by functions, as folded stacks: see `wasmlark_sandbox_profile`, without which it is absent. For a session, from its
   * load to the end of the call.
   */
  WASMLARK_TEXT_PROFILE = 8,
} wasmlark_text;

/**
 * The numbers of a run. What a session used is counted from its load to the end of the call.
 */
typedef enum wasmlark_number {
  /**
   * WebAssembly fuel used; absent if fuel is not metered.
   */
  WASMLARK_NUMBER_FUEL = 0,
  /**
   * Starlark ticks used.
   */
  WASMLARK_NUMBER_TICKS = 1,
  /**
   * The most bytes of linear memory in use at once.
   */
  WASMLARK_NUMBER_MEMORY_PEAK = 2,
  /**
   * The line of the error, from 1, if known.
   */
  WASMLARK_NUMBER_LINE = 3,
  /**
   * The column of the error in characters, from 1, if known.
   */
  WASMLARK_NUMBER_COLUMN = 4,
  /**
   * The exit code, as an `int32_t`, if a WASI guest or the script itself ended the script with one.
   */
  WASMLARK_NUMBER_EXIT_CODE = 5,
  /**
   * The cost of an isolated run; absent if it was not isolated.
   */
  WASMLARK_NUMBER_COST = 6,
} wasmlark_number;

/**
 * The type of a WebAssembly number.
 */
typedef enum wasmlark_wasm_type {
  /**
   * A 32-bit integer.
   */
  WASMLARK_WASM_TYPE_I32 = 0,
  /**
   * A 64-bit integer.
   */
  WASMLARK_WASM_TYPE_I64 = 1,
  /**
   * A 32-bit float.
   */
  WASMLARK_WASM_TYPE_F32 = 2,
  /**
   * A 64-bit float.
   */
  WASMLARK_WASM_TYPE_F64 = 3,
} wasmlark_wasm_type;

/**
 * The guest that called an import: valid on the thread of that call until the call returns.
 */
typedef uint64_t wasmlark_caller;

/**
 * A sandbox, run, session, interrupt, value or error. 0 stands for none.
 */
typedef uint32_t wasmlark_object;

/**
 * A function of the application. Its arguments are values, which the library frees after it has returned. It returns a value that
 * it made, or an error made by `wasmlark_error`, which the library frees; 0 is an error too. It must return: no C++ exception, no
 * `longjmp`.
 */
typedef wasmlark_object (*wasmlark_function)(void *context,
                                             const wasmlark_object *arguments,
                                             size_t count);

/**
 * Frees the context of a function, once, on whichever thread uses it last. It must not use the sandbox.
 */
typedef void (*wasmlark_drop)(void *context);

/**
 * A WebAssembly number, in the member of its type.
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
 * A function of the application that modules import. `arguments` has one number per parameter and is valid only during the call;
 * `results` has one number per result, initially 0, for the function to set. Returns 0, or an error made by `wasmlark_error`,
 * which ends the guest; the library frees the error. It must return: no C++ exception, no `longjmp`.
 */
typedef wasmlark_object (*wasmlark_import)(void *context,
                                           wasmlark_caller caller,
                                           const union wasmlark_wasm *arguments,
                                           union wasmlark_wasm *results);

/**
 * Finds a file that the sandbox does not have: a script that `load` names, a module or other data. `name` is the requested path in
 * UTF-8, with `/`, valid only during the call. Returns a string or bytes that it made, which the library frees; 0 for a name that it
 * does not know; or an error made by `wasmlark_error`, whose message becomes that of the run, with kind `WASMLARK_KIND_LOAD`. It
 * must return: no C++ exception, no `longjmp`.
 */
typedef wasmlark_object (*wasmlark_loader)(void *context, const uint8_t *name, size_t length);

/**
 * Lists the files of a folder that the loader has. `folder` is its path in UTF-8, without a slash at the end, empty for the root,
 * valid only during the call. Returns a list of strings that it made, which the library frees: the names in the folder, in any
 * order, those of folders with a slash at the end; 0 for a folder that does not exist; or an error made by `wasmlark_error`, with
 * which the script fails. It must return: no C++ exception, no `longjmp`.
 */
typedef wasmlark_object (*wasmlark_lister)(void *context, const uint8_t *folder, size_t length);

/**
 * Receives what a script prints, one line at a time with its line feed, on the thread that runs the script.
 */
typedef void (*wasmlark_print)(void *context, const uint8_t *text, size_t length);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the version of the library, such as "0.1.0". Its length in bytes goes to `length`, which may be null.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_version(size_t *length);

#if defined(__wasm__)
/**
 * Returns a buffer of `length` zero bytes for the host to write to; at least one byte, so that each has
 * an address of its own. Null if there is not enough memory.
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
 * Writes the size in bytes of the memory of the guest that called an import to `size`: the memory exported as `memory`, otherwise
 * the first one imported or exported. `WASMLARK_STATUS_ABSENT` if it has none.
 *
 * # Safety
 *
 * `size` is null, which is an error, or a `uint64_t` can be written there.
 */
enum wasmlark_status wasmlark_caller_memory_size(wasmlark_caller caller,
                                                 uint64_t *size);

/**
 * Copies `length` bytes from `address` in the calling guest's memory to `place`. If the range is not within the
 * memory, copies nothing and returns `WASMLARK_STATUS_ARGUMENT`: an address comes from the guest, so check this.
 *
 * # Safety
 *
 * `length` bytes can be written at `place`, which may be null if that is 0.
 */
enum wasmlark_status wasmlark_caller_read(wasmlark_caller caller,
                                          uint64_t address,
                                          uint8_t *place,
                                          size_t length);

/**
 * Copies `length` bytes from `start` to `address` in the calling guest's memory. If the range is not within the memory,
 * copies nothing and returns `WASMLARK_STATUS_ARGUMENT`.
 *
 * # Safety
 *
 * `length` bytes can be read at `start`, which may be null if that is 0.
 */
enum wasmlark_status wasmlark_caller_write(wasmlark_caller caller,
                                           uint64_t address,
                                           const uint8_t *start,
                                           size_t length);

/**
 * Makes an error for a function to return. The run then ends with its message and the kind
 * `WASMLARK_KIND_HOST`.
 *
 * # Safety
 *
 * `length` bytes can be read at `message`, which may be null if that is 0.
 */
wasmlark_object wasmlark_error(const uint8_t *message, size_t length);

/**
 * Gives scripts a function with positional arguments, under a name that no builtin has. `context` is passed to each call. `drop`, which
 * may be null, frees it once no script can call the function any more, or if this call fails.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, which may be null if that is 0. `function` may be called from other threads, several
 * at a time, with `context`, and then `drop`.
 */
enum wasmlark_status wasmlark_sandbox_function(wasmlark_object sandbox,
                                               const uint8_t *name,
                                               size_t name_length,
                                               wasmlark_function function,
                                               void *context,
                                               wasmlark_drop drop);

/**
 * Gives scripts a value, copied and frozen, under a name that no builtin has.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, which may be null if that is 0.
 */
enum wasmlark_status wasmlark_sandbox_value(wasmlark_object sandbox,
                                            const uint8_t *name,
                                            size_t name_length,
                                            wasmlark_object value);

/**
 * Gives modules a function that they import from `module` under `name`, replacing one given before. No script is involved; what
 * a script passes in `imports` takes precedence. Each byte of `parameters` and `results` is a `wasmlark_wasm_type`; each may
 * have at most a thousand. `context` is passed to each call. `drop`, which may be null, frees it once no module can call the
 * function any more, or if this call fails.
 *
 * An error returned by the function ends the guest and the run, with `WASMLARK_KIND_HOST` as its
 * kind. The function's own work costs no fuel.
 *
 * # Safety
 *
 * `module_length` bytes can be read at `module`, `name_length` at `name`, `parameter_count` at `parameters`, and `result_count` at
 * `results`; each may be null if its length is 0. `import` may be called from other threads, several at a time, with
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
 * Makes an interrupt that stops everything a sandbox runs, even what is running now: scripts, loads, and the calls of its
 * sessions. 0 if the object is not a sandbox. Free it.
 */
wasmlark_object wasmlark_sandbox_interrupt(wasmlark_object sandbox);

/**
 * Stops what is running, which then ends with `WASMLARK_KIND_INTERRUPTED`; what is started later also stops, as soon as it has
 * used a thousand ticks. It may be called from any thread and returns at once. For a session this lasts until it has ended one
 * call; for a sandbox, until `wasmlark_interrupt_reset`. Whether it stops a guest in a loop is set by
 * `wasmlark_sandbox_interruptible`.
 */
enum wasmlark_status wasmlark_interrupt_now(wasmlark_object interrupt);

/**
 * Stops what is still running after this many milliseconds, which then ends with `WASMLARK_KIND_DEADLINE`, and what is
 * started after that, until `wasmlark_interrupt_reset`.
 */
enum wasmlark_status wasmlark_interrupt_after(wasmlark_object interrupt,
                                              uint64_t milliseconds);

/**
 * Undoes `wasmlark_interrupt_now` and `wasmlark_interrupt_after`.
 */
enum wasmlark_status wasmlark_interrupt_reset(wasmlark_object interrupt);

/**
 * Sets whether scripts run isolated: in an evaluator that is itself a WebAssembly module, so that no script can end or
 * overflow the process. Not if `is_isolated` is 0, which is so in a new sandbox. `WASMLARK_LIMIT_COST` then bounds all that a
 * script does, which takes fifteen to thirty times as long, except in its guests. Its sessions can be saved and forked.
 * An error of the status `WASMLARK_STATUS_ARGUMENT` in a library that was built without the feature `isolated` or without the
 * evaluator's module.
 */
enum wasmlark_status wasmlark_sandbox_isolated(wasmlark_object sandbox,
                                               uint32_t is_isolated);

/**
 * Returns a session of an isolated sandbox as a value of bytes, from which `wasmlark_sandbox_restore` goes on, here or on another
 * machine. 0 if the sandbox was not isolated, if the session has ended, or if it still uses something of an instance that could
 * not be made because its segments did not fit. Free it.
 */
wasmlark_object wasmlark_session_save(wasmlark_object session);

/**
 * Makes a session that goes on from what this one, of an isolated sandbox, is now: what the one does, the other does not
 * see. 0 where `wasmlark_session_save` returns 0. Free it.
 */
wasmlark_object wasmlark_session_fork(wasmlark_object session);

/**
 * Goes on with a session that `wasmlark_session_save` returned. The sandbox must be isolated, and give the functions and imports
 * that the one had in which the session began. 0 if the bytes are not a saved session, were damaged, or come from another
 * version of wasmlark. Free it.
 *
 * # Safety
 *
 * `length` bytes can be read at `saved`, which may be null if that is 0.
 */
wasmlark_object wasmlark_sandbox_restore(wasmlark_object sandbox,
                                         const uint8_t *saved,
                                         size_t length);

/**
 * Makes a value from a JSON text. An object becomes a dict in the same order and an array a list. A number with a fraction or an
 * exponent, or beyond 64 bits, becomes a float. 0 if the text is not JSON, or is nested deeper than 127 levels:
 * `wasmlark_last_error` says where.
 *
 * # Safety
 *
 * `length` bytes can be read at `start`, which may be null if that is 0.
 */
wasmlark_object wasmlark_value_from_json(const uint8_t *start,
                                         size_t length);

/**
 * Makes a string from a value: its JSON text, on one line. Tuples and sets become arrays, structs objects, and bytes arrays of
 * numbers. An infinite or NaN float becomes `null`; an int beyond 128 bits and a function become strings. 0 if a dict has a key that
 * is not a string, int, float or bool. Free it.
 */
wasmlark_object wasmlark_value_to_json(wasmlark_object value);

/**
 * Asks `loader` for each file that a script needs and the sandbox does not have, replacing a loader set before. `context` is passed
 * to each call. `drop`, which may be null, frees it once no script can need a file any more, or if this call fails.
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
 * Asks `lister` for the names in a folder when a script lists files or looks for one, replacing a lister set before. Without one, a
 * sandbox with a loader cannot list its files. `context` is passed to each call. `drop`, which may be null, frees it once no script
 * can list files any more, or if this call fails.
 *
 * # Safety
 *
 * `lister` may be called from other threads, several at a time, with `context`, and then `drop`.
 */
enum wasmlark_status wasmlark_sandbox_lister(wasmlark_object sandbox,
                                             wasmlark_lister lister,
                                             void *context,
                                             wasmlark_drop drop);

/**
 * Returns why the last failed call on this thread failed: one that returned a status other than OK,
 * 0 for an object, or null for a text. The length in bytes goes to `length`. Empty if none failed.
 * Valid until the next failure on this thread.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_last_error(size_t *length);

/**
 * Frees an object of any kind. Scripts that are running in a sandbox or session continue to their end; sessions, runs and
 * interrupts outlive the sandbox that they came from. Freeing 0 does nothing.
 */
enum wasmlark_status wasmlark_free(wasmlark_object object);

/**
 * Returns how the script ended.
 */
enum wasmlark_kind wasmlark_run_kind(wasmlark_object run);

/**
 * Returns one of the texts of a run, a `wasmlark_text`, and writes its length in bytes to `length`. Null if
 * it is absent or the call is invalid. The text is valid until the run is freed.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_run_text(wasmlark_object run,
                                 uint32_t text,
                                 size_t *length);

/**
 * Writes one of the numbers of a run, a `wasmlark_number`, to `value`.
 *
 * # Safety
 *
 * `value` is null, which is an error, or a `uint64_t` can be written there.
 */
enum wasmlark_status wasmlark_run_number(wasmlark_object run, uint32_t number, uint64_t *value);

/**
 * Returns a new value: the result of a run's last statement or of a call, or `None` for the load
 * of a session. 0 if the run failed. Free it.
 */
wasmlark_object wasmlark_run_value(wasmlark_object run);

/**
 * Returns a new dict: the files that the script wrote, even if it failed then, with their names as keys, sorted, and their content
 * as bytes. For a call of a session, those that it wrote since the call before. Empty unless `wasmlark_sandbox_writable` allows
 * files. 0 if the object is not a run. Free it.
 */
wasmlark_object wasmlark_run_files(wasmlark_object run);

/**
 * Makes a sandbox with default limits and no files; 0 if no object number is left. Free it with
 * `wasmlark_free`.
 */
wasmlark_object wasmlark_sandbox_new(void);

/**
 * Sets one of the limits, a `wasmlark_limit`. A value below the limit's minimum is raised to it. `UINT64_MAX`
 * turns off a limit that can be turned off.
 */
enum wasmlark_status wasmlark_sandbox_limit(wasmlark_object sandbox,
                                            uint32_t limit,
                                            uint64_t value);

/**
 * Adds a file, a script or a module, under the name by which `load` and `wasm.Module` find it: a
 * path with `/`, in UTF-8. A file of the same name is replaced.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `content_length` at `content`; either may be null if
 * its length is 0.
 */
enum wasmlark_status wasmlark_sandbox_file(wasmlark_object sandbox,
                                           const uint8_t *name,
                                           size_t name_length,
                                           const uint8_t *content,
                                           size_t content_length);

/**
 * Appends an element, in UTF-8, to the `argv` of scripts.
 *
 * # Safety
 *
 * `length` bytes can be read at `argument`, which may be null if that is 0.
 */
enum wasmlark_status wasmlark_sandbox_argument(wasmlark_object sandbox,
                                               const uint8_t *argument,
                                               size_t length);

/**
 * Sets the standard input of scripts, which each run reads from its beginning. Without it, a script that asks for standard input
 * fails.
 *
 * # Safety
 *
 * `length` bytes can be read at `content`, which may be null if that is 0.
 */
enum wasmlark_status wasmlark_sandbox_stdin(wasmlark_object sandbox,
                                            const uint8_t *content,
                                            size_t length);

/**
 * Sets whether scripts may write files, which `wasmlark_run_files` returns: not if `is_writable` is 0, which is so in a new
 * sandbox. `WASMLARK_LIMIT_FILES` bounds their bytes.
 */
enum wasmlark_status wasmlark_sandbox_writable(wasmlark_object sandbox,
                                               uint32_t is_writable);

/**
 * Passes each line that a script prints to `print` at once, instead of keeping it. `context` is passed
 * to each call. The text is valid only during the call. The function must return: no C++ exception, no
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
 * Sets whether interrupts and deadlines stop a guest that runs for long without calling the script. Off in a new sandbox,
 * and if `is_interruptible` is 0, since such guests run faster. The script itself can always be stopped, and so can the guests of an
 * isolated sandbox.
 */
enum wasmlark_status wasmlark_sandbox_interruptible(wasmlark_object sandbox,
                                                    uint32_t is_interruptible);

/**
 * Sets whether guests keep frames, so that the report of a trap names the functions that were running: not if `has_backtrace`
 * is 0, which is so in a new sandbox. Guests that do spend about a third more fuel, and take up to twice the time.
 */
enum wasmlark_status wasmlark_sandbox_backtrace(wasmlark_object sandbox,
                                                uint32_t has_backtrace);

/**
 * Sets whether runs have `WASMLARK_TEXT_PROFILE`, the fuel by functions of both languages: not if `has_profile` is 0, which is so
 * in a new sandbox. Guests then keep no frames. They spend the same fuel, and each of their calls takes longer.
 *
 * Each line of the text has the functions that called each other, outermost first, with semicolons between them, then a space
 * and the fuel that the last one spent itself. Tools for flame graphs read it.
 */
enum wasmlark_status wasmlark_sandbox_profile(wasmlark_object sandbox,
                                              uint32_t has_profile);

/**
 * Sets how many bytes of compiled code a sandbox keeps for its next run; 256 MiB in a new sandbox. Compiled code takes about eight
 * times the size of its modules. A run that finds more than this kept starts with none. Code that running scripts and sessions use
 * is not dropped: 0 keeps only that.
 */
enum wasmlark_status wasmlark_sandbox_keep_code(wasmlark_object sandbox,
                                                uint64_t bytes);

/**
 * Runs a script to its end. `name`, in UTF-8, appears in messages, and names in the script that begin
 * with `./` are relative to it. Returns a run, even if the script failed: `wasmlark_run_kind` tells. 0
 * if it could not be started. Free it with `wasmlark_free`.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null if its
 * length is 0.
 */
wasmlark_object wasmlark_sandbox_run(wasmlark_object sandbox,
                                     const uint8_t *name,
                                     size_t name_length,
                                     const uint8_t *script,
                                     size_t script_length);

/**
 * Runs a script and keeps it with its state, so that its functions can be called. Returns a run, even if the script failed.
 * `session` is set to the session, or to 0 if there is none. Returns 0 if the script could not be started. Free both with
 * `wasmlark_free`, in any order; the sandbox may be freed before them.
 *
 * A session keeps the files, functions and limits that the sandbox has at this time. The limits apply to all its calls
 * together, until `wasmlark_session_refill`. Any thread may use it, one call at a time: another call meanwhile returns
 * `WASMLARK_STATUS_BUSY`. Sessions of one sandbox share compiled modules and run in parallel.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `script_length` at `script`; either may be null if its
 * length is 0. `session` is null, which is an error, or a `wasmlark_object` can be written there.
 */
wasmlark_object wasmlark_session_load(wasmlark_object sandbox,
                                      const uint8_t *name,
                                      size_t name_length,
                                      const uint8_t *script,
                                      size_t script_length,
                                      wasmlark_object *session);

/**
 * Calls the function of this name in a session's script, with copies of `count` values as positional arguments. Returns a
 * run, even if the call failed: `wasmlark_run_kind` tells, `wasmlark_run_value` returns the value, and `WASMLARK_TEXT_OUTPUT`
 * is what the call printed. 0 if it could not be started. Free it with `wasmlark_free`, and the arguments too.
 *
 * After a failed call, even one ended by a trap or an interrupt, the session can be called again; changes that the
 * call made remain.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, and `count` objects at `arguments`; either may be null if its length is 0.
 */
wasmlark_object wasmlark_session_call(wasmlark_object session,
                                      const uint8_t *name,
                                      size_t name_length,
                                      const wasmlark_object *arguments,
                                      size_t count);

/**
 * Calls a function like `wasmlark_session_call`, also with named arguments, and with limits for this call.
 *
 * `named` is a dict whose keys are the names, as strings; 0 for no named arguments.
 *
 * The limits apply within what is left of the session's: units of WebAssembly fuel, Starlark ticks, and milliseconds.
 * `UINT64_MAX` means no limit. Reaching one of the first two is `WASMLARK_KIND_LIMIT`, at the same point on every machine.
 * Reaching the last is `WASMLARK_KIND_DEADLINE`, which depends on the machine and its load. Whether it stops a guest in a loop
 * is set by `wasmlark_sandbox_interruptible`.
 *
 * # Safety
 *
 * As `wasmlark_session_call`.
 */
wasmlark_object wasmlark_session_call_with(wasmlark_object session,
                                           const uint8_t *name,
                                           size_t name_length,
                                           const wasmlark_object *arguments,
                                           size_t count,
                                           wasmlark_object named,
                                           uint64_t fuel,
                                           uint64_t ticks,
                                           uint64_t milliseconds);

/**
 * Returns a copy of a global variable of a session's script. 0 if there is none of this name, or its value is too deep or
 * too large to leave the script. Free it.
 *
 * # Safety
 *
 * `name_length` bytes can be read at `name`, which may be null if that is 0.
 */
wasmlark_object wasmlark_session_get(wasmlark_object session,
                                     const uint8_t *name,
                                     size_t name_length);

/**
 * Restores what a session may use of the sandbox's limits: fuel, ticks and printed bytes. What is
 * in use, such as memory, still counts.
 */
enum wasmlark_status wasmlark_session_refill(wasmlark_object session);

/**
 * Makes an interrupt that stops a session's calls, even one that is running. 0 if the object is not a
 * session. Free it.
 */
wasmlark_object wasmlark_session_interrupt(wasmlark_object session);

/**
 * Makes `None`. Free it, like every value, with `wasmlark_free`, even after passing it to a call.
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
 * Makes a string from UTF-8.
 *
 * # Safety
 *
 * `length` bytes can be read at `start`, which may be null if that is 0.
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
 * `count` objects can be read at `items`, which may be null if that is 0.
 */
wasmlark_object wasmlark_value_list(const wasmlark_object *items, size_t count);

/**
 * Makes a dict of copies of `count` keys and `count` values. `entries` has a key, its value, the next key, and so on.
 *
 * # Safety
 *
 * Twice `count` objects can be read at `entries`, which may be null if that is 0.
 */
wasmlark_object wasmlark_value_dict(const wasmlark_object *entries,
                                    size_t count);

/**
 * Returns the type of a value.
 */
enum wasmlark_type wasmlark_value_type(wasmlark_object value);

/**
 * Writes an int, or 1 or 0 for a bool, to `number`. `WASMLARK_STATUS_ABSENT` for another type and for an int that does not fit.
 *
 * # Safety
 *
 * `number` is null, or an `int64_t` can be written there.
 */
enum wasmlark_status wasmlark_value_get_int(wasmlark_object value,
                                            int64_t *number);

/**
 * Writes a float to `number`. `WASMLARK_STATUS_ABSENT` for another type.
 *
 * # Safety
 *
 * `number` is null, or a `double` can be written there.
 */
enum wasmlark_status wasmlark_value_get_float(wasmlark_object value, double *number);

/**
 * Returns the text of a string, the content of bytes, or Starlark's `repr` of any other value. Its length goes to
 * `length`, which may be null. Valid until the value is freed. Null if the object is not a value.
 *
 * # Safety
 *
 * `length` is null, or a `size_t` can be written there.
 */
const uint8_t *wasmlark_value_text(wasmlark_object value,
                                   size_t *length);

/**
 * Returns the number of elements of a list, tuple or set, or of entries of a dict, struct or record; 0 for
 * all other types.
 */
size_t wasmlark_value_count(wasmlark_object value);

/**
 * Returns a copy of the element at `index`, from 0, or of an entry's value. 0 if there is none. Free it.
 */
wasmlark_object wasmlark_value_item(wasmlark_object value,
                                    size_t index);

/**
 * Returns a copy of the key at `index`, from 0, of a dict, struct or record. 0 if there is none. Free it.
 */
wasmlark_object wasmlark_value_key(wasmlark_object value,
                                   size_t index);

/**
 * Returns a copy of the value that a dict has under a string, or a struct or record under a field's name. 0 if there
 * is none. Free it.
 *
 * # Safety
 *
 * `length` bytes can be read at `name`, which may be null if that is 0.
 */
wasmlark_object wasmlark_value_get(wasmlark_object value,
                                   const uint8_t *name,
                                   size_t length);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WASMLARK_H */
