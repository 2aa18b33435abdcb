/**
 * Listens to a GraphQL subscription while the component is on the page. Each message goes to `on`; what is shown is
 * the component's business. A pause ends the subscription; messages of that time are not told later. One that ended
 * with an error says so in `error`, and begins anew with `retry`.
 */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { TypedDocumentString } from '@/api/generated/graphql';
import type { ApiError } from './errors';
import { currentConnection, listen, onConnectionChange, type Connection } from './live';

export interface LiveSettings<Result> {
  readonly on: (result: Result) => void;
  readonly paused?: boolean | undefined;
}

export interface Live {
  readonly connection: Connection;
  readonly error: ApiError | null;
  readonly retry: () => void;
}

/** A value that belongs to one subscription: with other variables there is none yet. */
interface Of<Value> {
  readonly written: string;
  readonly value: Value;
}

export function useLive<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { on, paused = false }: LiveSettings<Result>,
): Live {
  const [error, setError] = useState<Of<ApiError> | null>(null);
  const [begun, setBegun] = useState(0);
  const latest = useRef(on);
  useEffect(() => {
    latest.current = on;
  });
  // Variables are plain data: equal text is equal variables, whatever object they came in.
  const written = JSON.stringify(variables);

  useEffect(() => {
    if (paused) return;
    return listen(document, JSON.parse(written) as Variables, {
      next: (result) => {
        setError(null);
        latest.current(result);
      },
      failed: (value) => setError({ written, value }),
    });
  }, [document, written, paused, begun]);

  const retry = useCallback(() => {
    setError(null);
    setBegun((before) => before + 1);
  }, []);

  return { connection: useConnection(), error: error?.written === written ? error.value : null, retry };
}

/** The newest message of a subscription; null before the first. */
export function useLiveLatest<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Live & { readonly latest: Result | null } {
  const [latest, setLatest] = useState<Of<Result> | null>(null);
  const written = JSON.stringify(variables);
  const live = useLive(document, variables, { on: (value) => setLatest({ written, value }) });
  return { ...live, latest: latest?.written === written ? latest.value : null };
}

export function useConnection(): Connection {
  return useSyncExternalStore(onConnectionChange, currentConnection);
}
