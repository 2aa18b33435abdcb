/** Subscribes the receiver to an action on a resource. Filters and fields are set on the subscription's own page. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { useAct } from '@/api';
import { Button } from '@/design/Button';
import { Dialog } from '@/design/Dialog';
import { fieldErrors } from '@/design/fieldErrors';
import { FormErrors } from '@/design/FormErrors';
import { toast } from '@/design/toasts';
import { ChangeKind, type Kind } from './ChangeKind';
import { AddSubscriptionDocument } from './documents';
import styles from './receiver.module.css';

export interface AddSubscriptionProps {
  readonly receiverId: number;
  readonly onClose: () => void;
}

export function AddSubscription({ receiverId, onClose }: AddSubscriptionProps): ReactNode {
  const [kind, setKind] = useState<Kind>({ resource: null, action: 'CREATE' });
  const add = useAct(AddSubscriptionDocument, {
    stale: ['receivers', 'subscriptions'],
    done: () => {
      toast('The subscription is in force');
      onClose();
    },
  });
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const { resource, action } = kind;
    if (resource !== null && !add.isPending) add.mutate({ input: { receiverId, resource, action } });
  };
  return (
    <Dialog title="Add a subscription" isOpen onClose={onClose}>
      <form className={styles['stack']} onSubmit={submit}>
        <ChangeKind kind={kind} onChange={setKind} errors={fieldErrors(add.error)} />
        <p className={styles['soft']}>
          Changes that are committed from then on become events for this receiver. A filter can be added on
          the page of the subscription.
        </p>
        <FormErrors error={add.error} fields={['resource', 'action']} />
        <div className={styles['actions']}>
          <Button type="submit" kind="primary" busy={add.isPending} isDisabled={kind.resource === null}>
            Subscribe
          </Button>
          <Button onPress={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
