// A folder that the command runs: the files, and what to expect.

const utf8 = (text) => new TextEncoder().encode(text);

// `run` is what the last run spent, if the files are as they were then.
export function folder(title, files, run) {
  const lines = ["Made by the playground of wasmlark. To run it:", "", "    wasmlark run --stats --out written main.star", ""];
  if (run) {
    const { fuel, ticks, memory } = run.stats;
    lines.push("In the playground it spent, and it spends the same everywhere:", "", `    {"fuel":${fuel},"ticks":${ticks},"memory_peak":${memory}}`, "");
    if (run.failed) lines.push("It ended with an error there.", "");
  }
  const content = [...files].map(([name, text]) => [`${title}/${name}`, typeof text === "string" ? utf8(text) : text]);
  return [...content, [`${title}/README.txt`, utf8(lines.join("\n"))]];
}
