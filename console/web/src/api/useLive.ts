/**
 * Listens to a GraphQL subscription while the component is on the page. Each message goes to `on`; what is shown is
 * the component's business. A pause ends the subscription; messages of that time are not told later.
 */
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
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
}

export function useLive<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { on, paused = false }: LiveSettings<Result>,
): Live {
  const [error, setError] = useState<ApiError | null>(null);
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
      failed: setError,
    });
  }, [document, written, paused]);

  return { connection: useConnection(), error };
}

/** The newest message of a subscription; null before the first. */
export function useLiveLatest<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Live & { readonly latest: Result | null } {
  const [latest, setLatest] = useState<Result | null>(null);
  const live = useLive(document, variables, { on: setLatest });
  return { ...live, latest };
}

export function useConnection(): Connection {
  return useSyncExternalStore(onConnectionChange, currentConnection);
}
