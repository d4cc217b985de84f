// Adds up the gzipped size of the page's files, and fails above what somebody on a poor network should wait for: before
// the first word, and for any one screen that is loaded when it is wanted.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FIRST_BYTES = 60_000; // two seconds at 240 kbit/s
const LATER_BYTES = 20_000; // all of it together, of which no screen needs more than a third
const SDK_BYTES = 210_000; // Amazon's, which only houses load that watch through Amazon IVS
const PAGE = fileURLToPath(new URL("../../src/belvedere/gateway/page/", import.meta.url));

const EMBED = "embed.js";

const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(PAGE.length))
  .sort();
if (!files.includes("index.html")) {
  console.error("the page is not built: run `npm run build` first");
  process.exit(1);
}
const index = readFileSync(join(PAGE, "index.html"), "utf8");
const embed = readFileSync(join(PAGE, EMBED), "utf8");
// The index names its scripts and style sheets, and what those import at once; the other assets are loaded later.
const sdk = files.filter((file) => file.startsWith("assets/ivs-sdk-"));
const later = files.filter(
  (file) => file.startsWith("assets/") && !index.includes(file) && !sdk.includes(file),
);
const first = files.filter((file) => file !== EMBED && !later.includes(file) && !sdk.includes(file));
// The same for what other pages embed; its style sheets are in its script.
const embedded = files.filter(
  (file) => file === EMBED || (file.endsWith(".js") && embed.includes(file) && !sdk.includes(file)),
);

let isOver = report("at first", first, FIRST_BYTES);
isOver = report("at first in another page", embedded, FIRST_BYTES) || isOver;
isOver = report("later", later, LATER_BYTES) || isOver;
isOver = report("for Amazon IVS", sdk, SDK_BYTES) || isOver;
if (isOver) {
  console.error("the page is over its budget");
  process.exitCode = 1;
}

/** Prints the sizes of these files and their sum; returns whether that is over the budget. */
function report(when, names, budget) {
  let total = 0;
  for (const name of names) {
    const bytes = gzipSync(readFileSync(join(PAGE, name)), { level: 9 }).length;
    total += bytes;
    console.log(`${String(bytes).padStart(7)}  ${name}`);
  }
  console.log(`${String(total).padStart(7)}  ${when}, of ${budget} bytes, gzip\n`);
  return total > budget;
}
