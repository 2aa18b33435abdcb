/** The head of an event: what it is about, whom it goes to, and when. */
import type { ReactNode } from 'react';
import { Card } from '@/design/Card';
import { Link } from '@/design/Link';
import { RelativeTime } from '@/design/RelativeTime';
import { exactTime } from '@/design/time';
import { rowKeyText, searchOf } from '@/screens/events/filters';
import type { EventDetail } from './documents';
import styles from './EventScreen.module.css';

export function Facts({ event }: { readonly event: EventDetail }): ReactNode {
  const { resource, rowId, receiver, subscription, subscriptionId, transactionId, test } = event;
  const row = rowKeyText(rowId);
  return (
    <Card>
      <dl className={styles['facts']}>
        <Fact name="Row">
          {test ? (
            <span className={styles['mono']}>{row}</span>
          ) : (
            <Link to={`/events${searchOf({ resource, row })}`} mono>
              {row}
            </Link>
          )}
          {!test && <span className={styles['exact']}>its key leads to all of its events</span>}
        </Fact>
        <Fact name="Receiver">
          {receiver === null ? (
            'its record is gone'
          ) : (
            <Link to={`/receivers/${receiver.id}`}>{receiver.name}</Link>
          )}
          {receiver?.active === false && (
            <span className={styles['exact']}>inactive: what is owed waits</span>
          )}
        </Fact>
        <Fact name="Subscription">
          {test && 'none: this is a test delivery'}
          {!test && subscription === null && `${subscriptionId}: its record is gone`}
          {subscription !== null && (
            <Link to={`/subscriptions/${subscription.id}`}>
              {`${subscription.resource} ${subscription.action} (${subscription.id})`}
            </Link>
          )}
        </Fact>
        <Fact name="Sequence">
          <span className={styles['mono']}>{event.sequence ?? 'none'}</span>
        </Fact>
        <Fact name="Transaction">
          {test ? (
            'none'
          ) : (
            <Link to={`/events${searchOf({ transaction: String(transactionId) })}`} mono>
              {transactionId}
            </Link>
          )}
        </Fact>
        <Moment name="Occurred" at={event.occurredAt} />
        <Moment name="Event made" at={event.createdAt} />
        <Moment name="Next attempt" at={event.nextAttemptAt} />
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Moment({ name, at }: { readonly name: string; readonly at: string | null }): ReactNode {
  return (
    <Fact name={name}>
      <RelativeTime at={at} never="none planned" />
      {at !== null && <span className={styles['exact']}>{exactTime(new Date(at))}</span>}
    </Fact>
  );
}
