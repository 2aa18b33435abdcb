/**
 * The WebSocket that tells of things as they happen: one for the whole tab, opened with the first subscription,
 * opened again after each break, and with a state that the shell shows.
 */
import { createClient, type Client } from 'graphql-ws';
import type { TypedDocumentString } from '@/api/generated/graphql';
import { ApiError, apiErrorOf, asApiError, networkError } from './errors';
import { onKeyChange, storedKey } from './key';

/** `idle`: nothing on this page is live. */
export type Connection = 'idle' | 'connecting' | 'live' | 'broken';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const UNACCEPTED_KEY = new Set([4401, 4403]);

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
  client ??= createClient({
    url: socketUrl(),
    lazy: true,
    keepAlive: 20_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retry) => new Promise((resolve) => setTimeout(resolve, pauseBefore(retry))),
    shouldRetry: (event) => !UNACCEPTED_KEY.has(closeCode(event) ?? 0),
    connectionParams: () => ({ authorization: `Bearer ${storedKey() ?? ''}` }),
    on: {
      connecting: (isRetry) => become(isRetry ? 'broken' : 'connecting'),
      connected: () => become('live'),
      closed: (event) => become(closeCode(event) === 1000 ? 'idle' : 'broken'),
      error: () => become('broken'),
    },
  });
  return client;
}

// A socket belongs to the key that opened it.
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

/** Listens until the returned function is called. */
export function listen<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { next, failed }: Listening<Result>,
): () => void {
  return theClient().subscribe<Result>(
    { query: document.toString(), variables: variables as Record<string, unknown> },
    {
      next: ({ data, errors }) => {
        if (errors !== undefined && errors.length > 0) failed(apiErrorOf(errors));
        else if (data !== null && data !== undefined) next(data);
      },
      error: (thrown) => failed(liveError(thrown)),
      complete: () => undefined,
    },
  );
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
