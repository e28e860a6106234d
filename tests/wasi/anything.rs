//! Arbitrary arguments: each call returns an error number or ends the guest, and does nothing else.

use crate::run;
use wasmlark::Limits;

/// Calls all functions with arguments that are mostly wrong, by a little or by a lot, in an order that depends on a seed.
const SCRIPT: &str = r#"
load("lib.star", "FUNCTIONS", "guest")

WORDS = [0, 1, 2, 3, 4, 5, 8, 16, 64, 1024, 1030, 4096, 8192, 65528, 65535, 65536, 65537, 1 << 31, (1 << 32) - 1, (1 << 32) - 8]
LONGS = WORDS + [1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 30) - 1]
NAMES = [name for name in FUNCTIONS if name != "proc_exit"]

def rounds(seed, count):
    g = guest(args = ["a"], env = {"A": "1"}, stdin = "input", files = {"/d/f": "content", "/e/": ""}, seed = seed)
    calls = guest(seed = seed)
    paths = ["d", "d/f", "e", "x", "d/../e/y", "d/f/", "../z", ""]
    state = [0, 0]
    def pick(items):
        if state[0] % 512 == 0:
            calls.call.random_get(0, 4096)
            state[1] = 0
        state[0] += 1
        word = calls.memory.read_u32(state[1])
        state[1] += 8
        return items[word % len(items)]
    results = {}
    for _ in range(count):
        text = bytes(pick(paths))
        g.memory.write(1024, text)
        # Buffers: a good one, one that crosses the end, and one that overlaps.
        g.memory.pack("IIIIII", 4096, 64, 16, 65530, 16, 4090, 32)
        name = pick(NAMES)
        arguments = [pick([1024, len(text)] + WORDS) if p == "i" else pick(LONGS) for p in FUNCTIONS[name].elems()]
        # Most descriptors should be open ones, and the lengths of paths should be right at times.
        if name.startswith("fd_") or name.startswith("path_"):
            arguments[0] = pick([0, 1, 3, 4, 5, 3, 4])
        if name == "path_open":
            arguments[2], arguments[3] = 1024, len(text)
        errno = getattr(g.call, name)(*arguments)
        results[(name, errno)] = results.get((name, errno), 0) + 1
    return len(results)

total = 0
for seed in range(4):
    total += rounds(seed, 4000)
total
"#;

#[test]
fn is_an_error_number() {
    let limits = || Limits::new().files(1 << 20).output(1 << 20);
    let outcome = |_| match run(SCRIPT, limits()) {
        Ok(run) => run.value.to_string(),
        Err(error) => error.to_string(),
    };
    let outcomes: Vec<String> = (0..2).map(outcome).collect();
    assert_eq!(outcomes[0], outcomes[1]);
    let seen: usize = outcomes[0].parse().unwrap_or_else(|_| panic!("{}", outcomes[0]));
    assert!(seen > 300, "only {seen} kinds of results: the arguments are too wild to get anywhere");
}
