/**
 * What a first visit costs: the compressed size of all that the page at `/` loads at once, as the binary that
 * ROWHOOK_BINARY names hands it out. Fails above the limit.
 */
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openStage } from '../e2e/stage';

const LIMIT_KB = 300;

interface Loaded {
  readonly kb: number;
  readonly text: string;
}

/** By the module `http`, since `fetch` does not tell how much came over the wire. */
async function load(url: string): Promise<Loaded> {
  const answer = await new Promise<Parameters<typeof buffer>[0] & { headers: Record<string, unknown> }>(
    (resolve, reject) => {
      get(url, { headers: { 'accept-encoding': 'gzip' } }, resolve).on('error', reject);
    },
  );
  const sent = await buffer(answer);
  const isGzip = answer.headers['content-encoding'] === 'gzip';
  const plain = isGzip ? gunzipSync(sent) : sent;
  // `vite preview`, for a binary without the console, compresses nothing.
  const compressed = isGzip ? sent : gzipSync(sent, { level: 9 });
  return { kb: compressed.length / 1000, text: plain.toString() };
}

const stage = await openStage();
try {
  const page = await load(`${stage.url}/`);
  const first = [...page.text.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].flatMap(
    (match) => match[1] ?? [],
  );
  const assets = await Promise.all(
    first.map(async (path) => ({ path, kb: (await load(stage.url + path)).kb })),
  );
  const sizes = [{ path: '/', kb: page.kb }, ...assets];
  const total = sizes.reduce((sum, { kb }) => sum + kb, 0);

  for (const { path, kb } of sizes) console.log(`${kb.toFixed(1).padStart(8)} KB  ${path}`);
  console.log(`${total.toFixed(1).padStart(8)} KB  first load, limit ${LIMIT_KB} KB`);
  if (first.length === 0) {
    console.error('the page at / loads no script: is this the console?');
    process.exitCode = 1;
  }
  if (total > LIMIT_KB) {
    console.error(
      'the first load is over its limit: load what not every page needs with the screen that needs it',
    );
    process.exitCode = 1;
  }
} finally {
  await stage.close();
}
