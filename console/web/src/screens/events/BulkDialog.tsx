/** Sends again, or cancels, all events that match: how many that are comes first. */
import { useState, type ReactNode } from 'react';
import { useAct, useAsk, type ApiError } from '@/api';
import type { WebhookEventFilters } from '@/api/generated/graphql';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { ErrorNote } from '@/design/ErrorNote';
import { Note } from '@/design/Note';
import { Skeleton } from '@/design/Skeleton';
import { toast } from '@/design/toasts';
import {
  CancelEventsDocument,
  CountEventsDocument,
  CountSettledEventsDocument,
  RedeliverEventsDocument,
} from './documents';
import styles from './BulkDialog.module.css';

export type BulkKind = 'redeliver' | 'cancel';

/** Why the API would refuse; undefined where it would not. */
export function whyNotRedeliver(filters: WebhookEventFilters, refused: boolean): string | undefined {
  if (refused) return 'Mend the filters first.';
  return Object.keys(filters).length === 0
    ? 'Set a filter first: only events that match one are sent again.'
    : undefined;
}

export function whyNotCancel(filters: WebhookEventFilters, refused: boolean): string | undefined {
  if (refused) return 'Mend the filters first.';
  const { status, ...others } = filters;
  if (status !== undefined && status !== null && status !== 'pending') {
    return `Only pending events can be cancelled; these are ${status}.`;
  }
  return Object.keys(others).length === 0
    ? 'Set a filter beside the status first: only events that match one are cancelled.'
    : undefined;
}

export interface BulkDialogProps {
  readonly kind: BulkKind;
  readonly filters: WebhookEventFilters;
  readonly onClose: () => void;
}

export function BulkDialog({ kind, filters, onClose }: BulkDialogProps): ReactNode {
  const isRedeliver = kind === 'redeliver';
  const count = useCount(kind, filters);
  const done = (count: number | string, what: string): void => {
    toast(`${events(count)} ${what}`);
    onClose();
  };
  const stale = ['events', 'stats', 'receivers'] as const;
  const redeliver = useAct(RedeliverEventsDocument, {
    stale,
    done: (result) => done(result.redeliverWebhookEvents.count, 'sent once more'),
  });
  const cancel = useAct(CancelEventsDocument, {
    stale,
    done: (result) => done(result.cancelWebhookEvents.count, 'cancelled'),
  });
  const act = isRedeliver ? redeliver : cancel;

  return (
    <ConfirmDialog
      title={isRedeliver ? 'Redeliver what matches' : 'Cancel what matches'}
      isOpen
      onClose={onClose}
      danger={!isRedeliver}
      action={actionWords(isRedeliver ? 'Redeliver' : 'Cancel', count.total)}
      busy={act.isPending || count.total === undefined || count.total === 0n}
      error={act.error}
      onConfirm={() => act.mutate({ filters })}
    >
      <div className={styles['words']}>
        {count.error !== null && <ErrorNote error={count.error} />}
        {count.total === undefined && count.error === null && <Skeleton lines={1} label="Counting" />}
        {count.total !== undefined && (
          <p role="status" className={styles['count']}>
            {events(count.total)} {count.total === 1n ? 'matches' : 'match'} now
            {count.parts === undefined ? '.' : `: ${count.parts}.`}
          </p>
        )}
        {isRedeliver ? (
          <>
            <p>
              Each is sent once more with the same event id and sequence number, the oldest first, with a
              fresh retry budget. Test deliveries and events of deleted receivers and subscriptions are passed
              over.
            </p>
            {filters.status === 'delivered' && (
              <Note kind="warn">These were delivered: their receivers get each of them a second time.</Note>
            )}
            {count.parts !== undefined && (
              <Note>To send again only what failed, filter by the status failed.</Note>
            )}
          </>
        ) : (
          <p>
            They are not sent any more, and what waits behind them is free at once. An attempt that is under
            way may still deliver its event. A cancelled event can be sent again.
          </p>
        )}
        <p>What matches at the moment of the confirmation counts.</p>
      </div>
    </ConfirmDialog>
  );
}

interface Count {
  readonly total: bigint | undefined;
  /** By status, where several are meant. */
  readonly parts: string | undefined;
  readonly error: ApiError | null;
}

function useCount(kind: BulkKind, filters: WebhookEventFilters): Count {
  const status = kind === 'cancel' ? 'pending' : filters.status;
  const settled = status === undefined || status === null;
  // No count of an earlier time is shown.
  const [asked] = useState(() => performance.now());
  const one = useAsk(
    ['events', 'count', asked],
    CountEventsDocument,
    { filters: { ...filters, status: status ?? null } },
    { enabled: !settled },
  );
  const each = useAsk(
    ['events', 'countSettled', asked],
    CountSettledEventsDocument,
    {
      delivered: { ...filters, status: 'delivered' },
      failed: { ...filters, status: 'failed' },
      cancelled: { ...filters, status: 'cancelled' },
    },
    { enabled: settled },
  );

  if (!settled) {
    const total = one.data?.webhookEventConnection.pageInfo.totalCount;
    return { total: total === undefined ? undefined : BigInt(total), parts: undefined, error: one.error };
  }
  if (each.data === undefined) return { total: undefined, parts: undefined, error: each.error };
  const [delivered, failed, cancelled] = [
    each.data.delivered.pageInfo.totalCount,
    each.data.failed.pageInfo.totalCount,
    each.data.cancelled.pageInfo.totalCount,
  ];
  return {
    total: BigInt(delivered) + BigInt(failed) + BigInt(cancelled),
    parts: `${grouped(delivered)} delivered, ${grouped(failed)} failed, ${grouped(cancelled)} cancelled`,
    error: each.error,
  };
}

function actionWords(verb: string, total: bigint | undefined): string {
  return total === undefined ? verb : `${verb} ${events(total)}`;
}

function events(count: number | string | bigint): string {
  return `${grouped(count)} ${BigInt(count) === 1n ? 'event' : 'events'}`;
}

function grouped(count: number | string | bigint): string {
  return BigInt(count).toLocaleString('en');
}
