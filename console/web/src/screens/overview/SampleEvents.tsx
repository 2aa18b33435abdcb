/** The events of one change that was just committed, as they come and go. */
import { useState, type ReactNode } from 'react';
import { useAsk, useLive } from '@/api';
import type {
  ResourceEnum,
  SampleEventsQuery,
  WebhookEventFilters,
  WebhookSubscriptionActions,
} from '@/api/generated/graphql';
import { Link } from '@/design/Link';
import { LiveNote } from '@/design/LiveNote';
import { StatusBadge } from '@/design/StatusBadge';
import { SampleEventChangedDocument, SampleEventsDocument } from './documents';
import styles from './overview.module.css';

const UNTIL_SEEN_MS = 1_000;

type Event = SampleEventsQuery['webhookEvents'][number];

export interface SampleEventsProps {
  readonly resource: ResourceEnum;
  readonly action: WebhookSubscriptionActions;
  readonly rowId: unknown;
  /** Events up to this id are of other changes. */
  readonly after: number | string;
}

export function SampleEvents({ resource, action, rowId, after }: SampleEventsProps): ReactNode {
  const [pushed, setPushed] = useState<ReadonlyMap<string, Event>>(new Map());
  const filters: WebhookEventFilters = { resource, action, ...(rowId === null ? {} : { rowId }) };
  const live = useLive(
    SampleEventChangedDocument,
    { filters },
    {
      on: ({ webhookEventChanged }) =>
        setPushed((before) => new Map(before).set(String(webhookEventChanged.id), webhookEventChanged)),
    },
  );
  // An event that was made before the subscription began is not pushed.
  const { data } = useAsk(
    ['events', 'sample', String(after)],
    SampleEventsDocument,
    { filters },
    { every: UNTIL_SEEN_MS, enabled: pushed.size === 0 },
  );
  const all = new Map((data?.webhookEvents ?? []).map((event) => [String(event.id), event]));
  for (const [id, event] of pushed) all.set(id, event);
  const events = [...all.values()]
    .filter(({ id }) => BigInt(id) > BigInt(after))
    .toSorted((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));

  return (
    <>
      <LiveNote live={live} />
      {events.length === 0 && (
        <p className={styles['soft']}>
          Waiting for its events. Each active subscription to {resource} {action} gets one; see the{' '}
          <Link to="/subscriptions">subscriptions</Link>.
        </p>
      )}
      <ul className={styles['list']} aria-label="Events of the change">
        {events.map((event) => (
          <li key={String(event.id)} className={styles['line']}>
            <StatusBadge status={event.status} />
            <Link to={`/events/${event.id}`} mono>{`${event.id}`}</Link>
            <span>to {event.receiver?.name ?? 'a receiver that is gone'}</span>
            <span className={styles['soft']}>{outcome(event)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function outcome({ attemptCount, responseStatus, error }: Event): string {
  if (attemptCount === 0) return error ?? 'not sent yet';
  const attempts = attemptCount === 1 ? '1 attempt' : `${attemptCount} attempts`;
  const answer = responseStatus === null ? 'no answer' : `answered ${responseStatus}`;
  return error === null ? `${attempts}, ${answer}` : `${attempts}, ${answer}: ${error}`;
}
