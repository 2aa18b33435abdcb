/** Cancels one pending event. The API cancels by filters: all that match are counted first. */
import { useState, type ReactNode } from 'react';
import { useAct, useAsk } from '@/api';
import type { WebhookEventFilters } from '@/api/generated/graphql';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { ErrorNote } from '@/design/ErrorNote';
import { Skeleton } from '@/design/Skeleton';
import { toast } from '@/design/toasts';
import { CancelEventsDocument, CountEventsDocument } from '@/screens/events/documents';
import type { EventDetail } from './documents';

/** The narrowest filters that hold the event. */
export function filtersOfEvent(event: EventDetail): WebhookEventFilters {
  const { subscriptionId, resource, action, transactionId, rowId, receiver, test } = event;
  if (test) return { subscriptionId, receiverId: receiver?.id ?? null };
  return { subscriptionId, resource, action, transactionId, rowId };
}

export function CancelEvent({
  event,
  onClose,
}: {
  readonly event: EventDetail;
  readonly onClose: () => void;
}): ReactNode {
  const filters = { ...filtersOfEvent(event), status: 'pending' };
  const [asked] = useState(() => performance.now());
  const counted = useAsk(['events', 'count', asked], CountEventsDocument, { filters });
  const count = counted.data?.webhookEventConnection.pageInfo.totalCount;
  const cancel = useAct(CancelEventsDocument, {
    stale: ['events', 'stats', 'receivers'],
    done: (result) => {
      toast(`${result.cancelWebhookEvents.count} cancelled`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Cancel event ${event.id}`}
      isOpen
      onClose={onClose}
      action="Cancel event"
      busy={cancel.isPending || count === undefined || BigInt(count) === 0n}
      error={cancel.error}
      onConfirm={() => cancel.mutate({ filters })}
    >
      <ErrorNote error={counted.error} />
      {count === undefined && counted.error === null && <Skeleton lines={1} label="Counting" />}
      {count !== undefined && BigInt(count) === 0n && <p>It is not pending any more.</p>}
      {count !== undefined && BigInt(count) > 1n && (
        <p>
          {`This transaction changed the row several times: all ${count} pending events of the row in it are cancelled.`}
        </p>
      )}
      <p>
        It is not sent any more, and what waits behind it is free at once. An attempt that is under way may
        still deliver it. It can be sent again.
      </p>
    </ConfirmDialog>
  );
}
