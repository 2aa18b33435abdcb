/** What can be done with a subscription: switch it, replay changes into it, delete it. */
import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useAct, useRole } from '@/api';
import type { SubscriptionSettingFragment } from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { Link } from '@/design/Link';
import { Switch } from '@/design/Switch';
import { toast } from '@/design/toasts';
import { DeleteSubscriptionDocument, UpdateSubscriptionDocument } from './documents';

export interface SubscriptionActionsProps {
  readonly stored: SubscriptionSettingFragment;
  readonly receiver: string;
}

export function SubscriptionActions({ stored, receiver }: SubscriptionActionsProps): ReactNode {
  const { id, active, resource, action, _etag: etag } = stored;
  const navigate = useNavigate();
  const { may } = useRole();
  const [asking, setAsking] = useState(false);
  const change = useAct(UpdateSubscriptionDocument, {
    stale: ['subscriptions', 'receivers'],
    done: (_, { input }) =>
      toast(input.active === true ? 'Subscription is active' : 'Subscription is inactive'),
  });
  const remove = useAct(DeleteSubscriptionDocument, {
    stale: ['receivers'],
    done: () => {
      toast(`Subscription ${id} deleted`);
      void navigate('/subscriptions');
    },
  });
  const turn = (wanted: boolean): void =>
    change.mutate(
      { input: { id, etag, active: wanted } },
      { onError: (error) => toast(`It was not changed: ${error.message}`, 'bad') },
    );

  return (
    <>
      {may('operator') && (
        <>
          <Switch isSelected={active} onChange={turn} isDisabled={change.isPending}>
            Active
          </Switch>
          <Link to={`/capture?subscription=${id}`} button="plain">
            Replay changes
          </Link>
        </>
      )}
      {may('admin') && (
        <Button kind="danger" onPress={() => setAsking(true)}>
          Delete
        </Button>
      )}
      <ConfirmDialog
        title="Delete this subscription?"
        isOpen={asking}
        onClose={() => {
          setAsking(false);
          remove.reset();
        }}
        onConfirm={() => remove.mutate({ input: { id, etag } })}
        action="Delete subscription"
        busy={remove.isPending}
        error={remove.error}
      >
        <p>
          {receiver} gets no more events of {resource} {action} from it, and what it is still owed is
          cancelled. Its events stay. It can not be taken back.
        </p>
      </ConfirmDialog>
    </>
  );
}
