// A folder for the command: the files, and what to expect when it runs them.

const utf8 = (text) => new TextEncoder().encode(text);

// `run` is what the last run spent, if the files have not changed since.
export function folder(title, files, run) {
  const lines = ["Made by the wasmlark playground. To run it:", "", "    wasmlark run --stats --out written main.star", ""];
  if (run) {
    const { fuel, ticks, memory } = run.stats;
    lines.push("It spends the same everywhere. In the playground, it spent:", "", `    {"fuel":${fuel},"ticks":${ticks},"memory_peak":${memory}}`, "");
    if (run.failed) lines.push("It ended with an error.", "");
  }
  const content = [...files].map(([name, text]) => [`${title}/${name}`, typeof text === "string" ? utf8(text) : text]);
  return [...content, [`${title}/README.txt`, utf8(lines.join("\n"))]];
}
