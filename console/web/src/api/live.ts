/**
 * The WebSocket that tells of things as they happen: one for the whole tab, opened with the first subscription,
 * opened again after each break with all that was listened to, and with a state that the shell shows.
 */
import { createClient, type Client } from 'graphql-ws';
import type { TypedDocumentString } from '@/api/generated/graphql';
import { ApiError, apiErrorOf, asApiError, networkError } from './errors';
import { exactDigits } from './json';
import { onKeyChange, refuseKey, storedKey } from './key';

/** `idle`: nothing on this page is live. */
export type Connection = 'idle' | 'connecting' | 'live' | 'broken';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const SIGN_OF_LIFE_MS = 20_000;
const SILENCE_MS = 10_000;
const UNACCEPTED_KEY = new Set([4401, 4403]);
/** The protocol's code for a peer that says nothing: the connection is opened again. */
const SILENT = 4499;

let connection: Connection = 'idle';
const listeners = new Set<() => void>();

function become(next: Connection): void {
  if (connection === next) return;
  connection = next;
  for (const listener of listeners) listener();
}

export function currentConnection(): Connection {
  return connection;
}

export function onConnectionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function socketUrl(): string {
  const { protocol, host } = window.location;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/graphql`;
}

function pauseBefore(retry: number): number {
  const full = Math.min(FIRST_PAUSE_MS * 2 ** retry, LONGEST_PAUSE_MS);
  return full * (0.8 + 0.4 * Math.random());
}

function closeCode(event: unknown): number | undefined {
  return event instanceof CloseEvent ? event.code : undefined;
}

let client: Client | null = null;

function theClient(): Client {
  client ??= clientOf(storedKey() ?? '');
  return client;
}

/** A client belongs to one key: what it still says after another has been taken is not listened to. */
function clientOf(key: string): Client {
  let socket: WebSocket | null = null;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const told = (next: Connection): void => {
    if (client === made) become(next);
  };
  const made: Client = createClient({
    url: socketUrl(),
    lazy: true,
    keepAlive: SIGN_OF_LIFE_MS,
    jsonMessageReviver: exactDigits,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retry) => new Promise((resolve) => setTimeout(resolve, pauseBefore(retry))),
    shouldRetry: (event) => client === made && !UNACCEPTED_KEY.has(closeCode(event) ?? 0),
    connectionParams: () => ({ authorization: `Bearer ${key}` }),
    on: {
      connecting: (isRetry) => told(isRetry ? 'broken' : 'connecting'),
      opened: (opened) => {
        socket = opened as WebSocket;
      },
      connected: () => told('live'),
      ping: (received) => {
        // A machine that slept has a socket that looks open and says nothing any more.
        if (!received) silence = setTimeout(() => socket?.close(SILENT, 'no sign of life'), SILENCE_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(silence);
      },
      closed: (event) => {
        clearTimeout(silence);
        const code = closeCode(event);
        told(code === 1000 ? 'idle' : 'broken');
        // As a 401 does: only the key that was refused is forgotten.
        if (code !== undefined && UNACCEPTED_KEY.has(code) && key === storedKey()) refuseKey();
      },
    },
  });
  return made;
}

onKeyChange(() => {
  const old = client;
  client = null;
  become('idle');
  void old?.dispose();
});

export interface Listening<Result> {
  readonly next: (result: Result) => void;
  readonly failed: (error: ApiError) => void;
}

/** Listens until the returned function is called, or until `failed` is. */
export function listen<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { next, failed }: Listening<Result>,
): () => void {
  const used = theClient();
  let stopped = false;
  const isOver = (): boolean => stopped || used !== client;
  const stop = used.subscribe<Result>(
    { query: document.toString(), variables: variables as Record<string, unknown> },
    {
      next: ({ data, errors }) => {
        if (isOver()) return;
        if (errors !== undefined && errors.length > 0) failed(apiErrorOf(errors));
        else if (data !== null && data !== undefined) next(data);
      },
      error: (thrown) => {
        if (!isOver()) failed(liveError(thrown));
      },
      complete: () => {
        if (!isOver()) failed(new ApiError('INTERNAL', 'rowhook ended the live data of this page'));
      },
    },
  );
  return () => {
    stopped = true;
    stop();
  };
}

function liveError(thrown: unknown): ApiError {
  if (Array.isArray(thrown)) return apiErrorOf(thrown as { message?: unknown }[]);
  const code = closeCode(thrown);
  if (code !== undefined && UNACCEPTED_KEY.has(code)) {
    return new ApiError('UNAUTHENTICATED', 'the API key was not accepted for live data');
  }
  if (code !== undefined || thrown instanceof Event) return networkError('the live connection broke');
  return asApiError(thrown);
}
