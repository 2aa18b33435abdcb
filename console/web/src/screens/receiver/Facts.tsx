/** What is set of the receiver, and who set it. */
import type { ReactNode } from 'react';
import { Card } from '@/design/Card';
import { RelativeTime } from '@/design/RelativeTime';
import { duration } from '@/design/time';
import { placeOf } from '../overview/instances';
import { throttle } from '../receivers/figures';
import type { Receiver } from './parts';
import styles from './receiver.module.css';

export function Facts({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const { clientCertificate } = receiver;
  return (
    <Card title="Settings">
      <dl className={styles['facts']}>
        <dt>Id</dt>
        <dd className={styles['mono']}>{receiver.id}</dd>
        <dt>Content type</dt>
        <dd>{receiver.contentType}</dd>
        <dt>Delivered with</dt>
        <dd>HTTP {receiver.expectedResponseCode}</dd>
        <dt>Throttle</dt>
        <dd>
          {throttle(receiver.rateLimit)}; {receiver.maxInFlight} at once
        </dd>
        <dt>Time limit</dt>
        <dd>{duration(receiver.timeoutMs)}</dd>
        <dt>Order</dt>
        <dd>{receiver.ordering === 'PER_ROW' ? 'kept for each row' : 'not kept'}</dd>
        {clientCertificate !== null && (
          <>
            <dt>Client certificate</dt>
            <dd>
              {clientCertificate.subject ?? 'set'}, until{' '}
              <RelativeTime at={clientCertificate.validUntil} never="?" />
            </dd>
          </>
        )}
        <dt>Sent to by</dt>
        <dd>{receiver.instance === null ? nobody(receiver) : <Sender name={receiver.instance} />}</dd>
        <dt>Made</dt>
        <dd>
          <RelativeTime at={receiver.createdAt} /> by {receiver.createdBy.name}
        </dd>
        <dt>Changed</dt>
        <dd>
          <RelativeTime at={receiver.updatedAt} /> by {receiver.updatedBy.name}
        </dd>
      </dl>
    </Card>
  );
}

/** The overview lists it. */
function Sender({ name }: { readonly name: string }): ReactNode {
  return (
    <>
      instance <code title={name}>{placeOf(name)}</code>
    </>
  );
}

function nobody({ active, health }: Receiver): string {
  if (!active) return 'nobody while it is inactive';
  return health === 'PROBING' ? 'nobody until it is probed again' : 'nobody now: there is nothing to send';
}
