/**
 * What a first visit costs: the compressed size of all that index.html loads at once, and of the largest screen
 * besides the playground. Fails above the limit.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 300;

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const html = readFileSync(`${dist}index.html`, 'utf8');
const first = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].flatMap(
  (match) => match[1] ?? [],
);

const compressedKb = (file: string): number =>
  gzipSync(readFileSync(dist + file), { level: 9 }).length / 1000;

const sizes = ['index.html', ...first].map((file) => ({ file, kb: compressedKb(file) }));
const total = sizes.reduce((sum, { kb }) => sum + kb, 0);

for (const { file, kb } of sizes) console.log(`${kb.toFixed(1).padStart(8)} KB  ${file}`);
console.log(`${total.toFixed(1).padStart(8)} KB  first load, limit ${LIMIT_KB} KB`);
if (first.length === 0) {
  console.error('index.html loads no script: is this the output of npm run build?');
  process.exit(1);
}
if (total > LIMIT_KB) {
  console.error(
    `the first load is over its limit: load what not every page needs with the screen that needs it`,
  );
  process.exit(1);
}
