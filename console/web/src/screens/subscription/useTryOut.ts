/** Tries a draft on the last changes, when it is asked to. */
import { useState } from 'react';
import { useAct, type ApiError } from '@/api';
import { TryFilterDocument } from './documents';
import { sameSetting, trial, type Draft } from './draft';
import type { TryOutProps } from './TryOut';

const LAST = 20;

export interface Trying {
  readonly tryOut: TryOutProps;
  /** Why the draft could not be tried; null once it has changed. */
  readonly error: ApiError | null;
}

export function useTryOut(draft: Draft): Trying {
  const [tried, setTried] = useState<Draft | null>(null);
  const asked = useAct(TryFilterDocument);
  const stale = tried !== null && !sameSetting(tried, draft);
  const error = stale ? null : asked.error;
  return {
    error,
    tryOut: {
      resource: draft.resource,
      busy: asked.isPending,
      trial: asked.data?.testWebhookFilter,
      error,
      stale,
      onTry: () => {
        const input = trial(draft, LAST);
        if (input === null) return;
        setTried(draft);
        asked.mutate({ input });
      },
    },
  };
}
