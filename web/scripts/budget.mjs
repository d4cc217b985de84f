// Adds up the gzipped size of the page's files, and fails above what a visitor on a poor network should wait for.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 60_000; // two seconds at 240 kbit/s
const PAGE = fileURLToPath(new URL("../../src/belvedere/gateway/page/", import.meta.url));

const files = readdirSync(PAGE, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
let total = 0;
for (const file of files) {
  const path = join(file.parentPath, file.name);
  const bytes = gzipSync(readFileSync(path), { level: 9 }).length;
  total += bytes;
  console.log(`${String(bytes).padStart(7)}  ${path.slice(PAGE.length)}`);
}
console.log(`${String(total).padStart(7)}  of ${BUDGET_BYTES} bytes, gzip`);
if (files.length === 0 || total > BUDGET_BYTES) {
  console.error(
    files.length === 0 ? "the page is not built: run `npm run build` first" : "the page is over its budget",
  );
  process.exitCode = 1;
}
