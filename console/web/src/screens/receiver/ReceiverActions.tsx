/** What can be done with a receiver as a whole: pause or activate it, edit it, delete it. */
import { useState, type ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { Menu } from '@/design/Menu';
import { toast } from '@/design/toasts';
import { pendingCount } from '../receivers/figures';
import { DeleteReceiverDocument } from './documents';
import { EditReceiver } from './EditReceiver';
import type { Receiver } from './parts';
import { useActivation } from './useActivation';

type Open = 'pause' | 'edit' | 'delete' | null;

export function ReceiverActions({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const [open, setOpen] = useState<Open>(null);
  const { may } = useRole();
  const activation = useActivation(receiver);
  const close = (): void => setOpen(null);

  return (
    <>
      {may('operator') &&
        (receiver.active ? (
          <Button onPress={() => setOpen('pause')}>Pause</Button>
        ) : (
          <Button kind="primary" onPress={() => activation.set(true)} busy={activation.busy}>
            Activate
          </Button>
        ))}
      {may('admin') && (
        <>
          <Button onPress={() => setOpen('edit')}>Edit</Button>
          <Menu
            label="More actions"
            actions={[
              {
                id: 'delete',
                label: 'Delete receiver',
                onAction: () => setOpen('delete'),
                danger: true,
              },
            ]}
          />
        </>
      )}
      {open === 'pause' && <PauseReceiver receiver={receiver} onClose={close} />}
      {open === 'edit' && <EditReceiver receiver={receiver} onClose={close} />}
      {open === 'delete' && <DeleteReceiver receiver={receiver} onClose={close} />}
    </>
  );
}

interface AskedProps {
  readonly receiver: Receiver;
  readonly onClose: () => void;
}

function PauseReceiver({ receiver, onClose }: AskedProps): ReactNode {
  const { set, busy, error } = useActivation(receiver, onClose);
  return (
    <ConfirmDialog
      title={`Pause ${receiver.name}`}
      isOpen
      onClose={onClose}
      onConfirm={() => set(false)}
      action="Pause receiver"
      danger={false}
      busy={busy}
      error={error}
    >
      While it is inactive, changes make no events for it: these are not sent later either, unless they are
      replayed. What already waits ({pendingCount(receiver.stats.pending)}) goes on waiting until it is active
      again.
    </ConfirmDialog>
  );
}

function DeleteReceiver({ receiver, onClose }: AskedProps): ReactNode {
  const navigate = useNavigate();
  const remove = useAct(DeleteReceiverDocument, {
    stale: ['receivers', 'subscriptions', 'events', 'stats'],
    done: () => {
      toast(`${receiver.name} is deleted`);
      void navigate('/receivers');
    },
  });
  return (
    <ConfirmDialog
      title={`Delete ${receiver.name}`}
      isOpen
      onClose={onClose}
      onConfirm={() => remove.mutate({ input: { id: receiver.id } })}
      action="Delete receiver"
      confirmName={receiver.name}
      busy={remove.isPending}
      error={remove.error}
    >
      It and its {receiver.subscriptions.length} subscriptions go, and what waits for it (
      {pendingCount(receiver.stats.pending)}) is cancelled. Its past events and their attempts stay. This can
      not be taken back.
    </ConfirmDialog>
  );
}
