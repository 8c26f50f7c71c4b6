// Where in an author's sources an error comes from.

// The builder writes a table in place of this text, as JSON: the author's files, and runs of lines that stayed together
// in the bundle, each as its first line there, the file's position (-1: none of the author's) and the line in the file.
const TABLE = "%PLACES%";

// The innermost place of the author's, as `src/plugin.js:45`; outside of a bundle, whatever the engine says first.
export function placeOf(error) {
  const frames = String(error?.stack).split("\n").filter((frame) => frame.includes("@") || frame.includes(" at "));
  if (!TABLE.startsWith("%")) {
    const { files, runs } = JSON.parse(TABLE);
    for (const frame of frames) {
      const line = Number(frame.match(/bundle\.js:(\d+):\d+$/)?.[1]);
      const run = runs.findLast(([first]) => first <= line);
      if (run !== undefined && run[1] >= 0) return `${files[run[1]]}:${run[2] + line - run[0]}`;
    }
  }
  return frames[0] ?? "somewhere";
}
