/** Sends the receiver a delivery to try it with, and shows what it answers as soon as it does. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { RoleNote } from '@/design/RoleNote';
import { ChangeKind, type Kind } from './ChangeKind';
import { SendTestDocument } from './documents';
import { TestAnswer } from './TestAnswer';
import type { Receiver } from './parts';
import styles from './receiver.module.css';

export function TestDelivery({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const first = receiver.subscriptions[0];
  const [kind, setKind] = useState<Kind>({
    resource: first?.resource ?? null,
    action: first?.action ?? 'CREATE',
  });
  const [eventId, setEventId] = useState<number | string | null>(null);
  const { may } = useRole();
  const send = useAct(SendTestDocument, {
    stale: ['events'],
    done: ({ sendTestWebhook }) => setEventId(sendTestWebhook.webhookEvent.id),
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const { resource, action } = kind;
    if (resource !== null && !send.isPending) {
      setEventId(null);
      send.mutate({ input: { receiverId: receiver.id, resource, action } });
    }
  };
  const refusal = receiver.active ? undefined : 'The receiver is inactive; activate it first.';

  return (
    <div className={styles['stack']}>
      <Card title="Test delivery">
        <p className={styles['soft']}>
          It goes the way of every delivery, signed and with the receiver’s headers, marked with{' '}
          <code>x-rowhook-test: true</code>, and is tried once. It tells of the newest change of this kind, or
          of a made-up row.
        </p>
        <RoleNote needs="admin" to="send one: it shows what stands in a row" />
        {may('admin') && (
          <form className={styles['stack']} onSubmit={submit}>
            <ChangeKind kind={kind} onChange={setKind} errors={fieldErrors(send.error)} />
            <FormErrors error={send.error} fields={['resource', 'action']} />
            <div className={styles['actions']}>
              <Button
                type="submit"
                kind="primary"
                busy={send.isPending}
                isDisabled={refusal === undefined && kind.resource === null}
                disabledReason={refusal}
              >
                Send test delivery
              </Button>
            </div>
          </form>
        )}
      </Card>
      {eventId !== null && <TestAnswer key={String(eventId)} eventId={eventId} />}
    </div>
  );
}
