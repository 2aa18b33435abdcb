/** Makes a receiver active or inactive, which role operator may. */
import { useAct } from '@/api';
import { toast } from '@/design/toasts';
import type { ApiError } from '@/api';
import { UpdateReceiverDocument } from './documents';
import type { Receiver } from './parts';

export interface Activation {
  readonly set: (active: boolean) => void;
  readonly busy: boolean;
  readonly error: ApiError | null;
}

export function useActivation({ id, name, _etag }: Receiver, done?: () => void): Activation {
  const update = useAct(UpdateReceiverDocument, {
    stale: ['receivers', 'stats', 'events'],
    done: ({ updateWebhookReceiver: { webhookReceiver } }) => {
      toast(webhookReceiver.active ? `${name} is active: what waits is sent` : `${name} is paused`);
      done?.();
    },
  });
  return {
    set: (active) => update.mutate({ input: { id, etag: _etag, active } }),
    busy: update.isPending,
    error: update.error,
  };
}
