// The transcripts of scripts, as tests/targets/report.rs makes them on this machine. For node and for browsers.

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

// The limits that a script's first line asks for: `# limits: fuel=1000 ticks=50`.
function limits(script) {
  const [, list] = /^# limits: (.*)/.exec(script) ?? [];
  return Object.fromEntries((list ?? "").split(" ").filter(Boolean).map((pair) => pair.replace(/=none$/, `=${2n ** 64n - 1n}`).split("=")));
}

// `files`: all files of a folder, as pairs of path and bytes; `names`: the scripts among them to run; isolated, where that is
// asked for, with what they cost.
export function transcript(wasmlark, files, names, isIsolated = false) {
  const all = new Map(files);
  let text = "";
  for (const name of names) {
    const script = decoder.decode(all.get(name));
    const sandbox = wasmlark.sandbox(limits(script));
    for (const [path, content] of all) sandbox.file(path, content);
    if (isIsolated) sandbox.isolated();
    const run = sandbox.run(name, script);
    sandbox.free();
    const detail = run.trap ?? run.limit;
    const kind = detail === undefined ? run.kind : `${run.kind} ${detail}`;
    text += `== ${name}\n${run.output}`;
    text += run.ok ? `value: ${run.value}\n` : `error ${kind}: ${run.error}\n`;
    text += `fuel ${run.fuel ?? "none"} ticks ${run.ticks} memory ${run.memory_peak}${isIsolated ? ` cost ${run.cost}` : ""}\n`;
  }
  return text;
}
