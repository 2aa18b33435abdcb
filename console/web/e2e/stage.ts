/**
 * The stage of the end-to-end steps: a real rowhook (ROWHOOK_BINARY) with a database of its own (database.ts), and the
 * console in front of it: the binary's own where it has one, else `vite preview` of dist.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { isPostgres, openDatabase, type StageDatabase } from './database';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const START_MS = 60_000;
const POLL_MS = 100;

export interface Stage {
  /** Where the console is. */
  readonly url: string;
  /** Where the API is. */
  readonly api: string;
  /** A key with role admin. */
  readonly key: string;
  readonly ask: <Data = Record<string, unknown>>(query: string, variables?: object) => Promise<Data>;
  /** Ends rowhook as an operator does, and starts it again on the same database and address. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface StageSettings {
  /** `serve`: the sample tables, nothing in them happens by itself. `demo`: a receiver and changes too. */
  readonly as?: 'serve' | 'demo';
  /** Changes per second of the demo. */
  readonly rate?: number;
}

export async function openStage({ as = 'serve', rate = 5 }: StageSettings = {}): Promise<Stage> {
  const binary = process.env['ROWHOOK_BINARY'];
  if (binary === undefined) throw new Error('ROWHOOK_BINARY must name the rowhook binary to test');

  const folder = await mkdtemp(join(tmpdir(), 'rowhook-console-'));
  const running: ChildProcess[] = [];
  let database: StageDatabase | undefined;
  const close = async (): Promise<void> => {
    await Promise.all(running.map(end));
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const listen = `127.0.0.1:${await freePort()}`;
    const api = `http://${listen}`;
    if (as === 'demo' && isPostgres()) throw new Error('the demo has an embedded database of its own');
    const { url: databaseUrl } = (database = await openDatabase(folder));
    const begin = (): Started =>
      as === 'serve' ? serve(binary, databaseUrl, listen) : demo(binary, folder, listen, rate);
    let rowhook = begin();
    running.push(rowhook.process);
    await answers(`${api}/readyz`, rowhook);
    const key = as === 'serve' ? ADMIN_KEY : await demoKey(rowhook);

    let url = api;
    if (!(await servesConsole(api))) {
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      const vite = start(
        process.execPath,
        [
          'node_modules/vite/bin/vite.js',
          'preview',
          '--host',
          '127.0.0.1',
          '--port',
          `${port}`,
          '--strictPort',
        ],
        {
          ROWHOOK_URL: api,
        },
      );
      running.push(vite.process);
      await answers(url, vite);
    }
    return {
      url,
      api,
      key,
      close,
      ask: (query, variables) => ask(api, key, query, variables),
      stop: () => end(rowhook.process),
      start: async () => {
        rowhook = begin();
        running.push(rowhook.process);
        await answers(`${api}/readyz`, rowhook);
      },
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

const ADMIN_KEY = 'console-steps-admin-key';
/** What secrets are sealed with; on PostgreSQL rowhook makes none by itself. */
const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');

interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
}

function serve(binary: string, databaseUrl: string, listen: string): Started {
  return start(binary, ['serve'], {
    ROWHOOK_LISTEN: listen,
    ROWHOOK_DATABASE_URL: databaseUrl,
    ROWHOOK_ADMIN_KEY: ADMIN_KEY,
    ROWHOOK_SECRET_KEY: SECRET_KEY,
    ROWHOOK_SAMPLE: 'true',
    ROWHOOK_RECEIVERS__ALLOW_HTTP: 'true',
    ROWHOOK_RECEIVERS__ALLOW_PRIVATE_NETWORKS: '["127.0.0.0/8"]',
    ROWHOOK_RECEIVERS__EGRESS_IPS: '["203.0.113.7/32"]',
  });
}

function demo(binary: string, folder: string, listen: string, rate: number): Started {
  return start(binary, ['demo', '--listen', listen, '--data', folder, '--rate', `${rate}`], {});
}

/** The demo prints its key soon after it is ready. */
async function demoKey({ process: child, output }: Started): Promise<string> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const key = /#key=(\S+)\s/.exec(output())?.[1] ?? /API key\s+(\S+)\s/.exec(output())?.[1];
    if (key !== undefined) return key;
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error(`the demo printed no key:\n${output()}`);
    await pause(POLL_MS);
  }
}

function start(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Started {
  const process_ = spawn(command, args, {
    cwd: WEB,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    if (output.length < 100_000) output += chunk.toString();
  };
  process_.stdout.on('data', keep);
  process_.stderr.on('data', keep);
  return { process: process_, output: () => output };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const stopped = await Promise.race([gone.then(() => true), pause(10_000, false, { ref: false })]);
  if (!stopped) child.kill('SIGKILL');
  await gone;
}

/** Waits until a URL answers, and tells what the program said if it does not. */
async function answers(url: string, { process: child, output }: Started): Promise<void> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended before it answered at ${url}:\n${output()}`);
    const answer = await fetch(url).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok === true) return;
    if (Date.now() > deadline) throw new Error(`nothing answered at ${url}:\n${output()}`);
    await pause(POLL_MS);
  }
}

/** A binary without the console answers `/` too, with a page that says how to get it. */
async function servesConsole(url: string): Promise<boolean> {
  const answer = await fetch(url);
  return (await answer.text()).includes('id="root"');
}

/** FIRST_PORT and LAST_PORT keep it within a range; else the system chooses. */
async function freePort(): Promise<number> {
  const first = Number(process.env['FIRST_PORT'] ?? 0);
  const last = Number(process.env['LAST_PORT'] ?? first);
  for (let port = first; port <= last; port += 1) {
    const found = await tryPort(port);
    if (found !== null) return found;
  }
  throw new Error(`no port is free from ${first} to ${last}`);
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}

async function ask<Data>(api: string, key: string, query: string, variables: object = {}): Promise<Data> {
  const answer = await fetch(`${api}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await answer.json()) as { data?: Data; errors?: { message: string }[] };
  if (errors !== undefined || data === undefined)
    throw new Error(`the API refused: ${JSON.stringify(errors)}`);
  return data;
}
