/** The HTTP headers that go with each delivery to this receiver. */
import { useState, type ReactNode } from 'react';
import { useAct, useRole } from '@/api';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { EmptyState } from '@/design/EmptyState';
import { Menu } from '@/design/Menu';
import { Table, type Column } from '@/design/Table';
import { toast } from '@/design/toasts';
import { RemoveHeaderDocument } from './documents';
import { HeaderDialog } from './HeaderDialog';
import type { Receiver } from './parts';
import styles from './receiver.module.css';

export type Header = Receiver['headers'][number];

type Open = { readonly what: 'add' } | { readonly what: 'change' | 'remove'; readonly header: Header } | null;

export function Headers({ receiver }: { readonly receiver: Receiver }): ReactNode {
  const [open, setOpen] = useState<Open>(null);
  const { may } = useRole();
  const close = (): void => setOpen(null);

  const named: readonly Column<Header>[] = [
    { id: 'key', header: 'Name', cell: ({ key }) => <span className={styles['mono']}>{key}</span> },
    { id: 'value', header: 'Value', cell: ({ value }) => <span className={styles['mono']}>{value}</span> },
  ];
  const changeable: readonly Column<Header>[] = [
    ...named,
    {
      id: 'actions',
      header: 'Actions',
      end: true,
      cell: (header) => (
        <Menu
          label={`Actions on ${header.key}`}
          actions={[
            {
              id: 'change',
              label: 'Change',
              onAction: () => setOpen({ what: 'change', header }),
            },
            {
              id: 'remove',
              label: 'Remove',
              danger: true,
              onAction: () => setOpen({ what: 'remove', header }),
            },
          ]}
        />
      ),
    },
  ];
  const columns = may('admin') ? changeable : named;
  const add = may('admin') && (
    <Button kind="primary" onPress={() => setOpen({ what: 'add' })}>
      Add header
    </Button>
  );

  return (
    <>
      {receiver.headers.length === 0 ? (
        <EmptyState title="It has no headers of its own" action={add}>
          A header goes with each delivery, as a token that the receiver asks for. rowhook’s own headers
          always go.
        </EmptyState>
      ) : (
        <Card title="Headers" actions={add}>
          {!may('operator') && <p className={styles['soft']}>Values are masked for role viewer.</p>}
          <Table label="Headers" columns={columns} rows={receiver.headers} rowKey={({ id }) => id} />
        </Card>
      )}
      {open?.what === 'add' && <HeaderDialog receiverId={receiver.id} header={null} onClose={close} />}
      {open?.what === 'change' && (
        <HeaderDialog
          receiverId={receiver.id}
          header={open.header}
          latest={receiver.headers.find(({ id }) => id === open.header.id)}
          onClose={close}
        />
      )}
      {open?.what === 'remove' && (
        <RemoveHeader receiverId={receiver.id} header={open.header} onClose={close} />
      )}
    </>
  );
}

interface RemoveHeaderProps {
  readonly receiverId: number;
  readonly header: Header;
  readonly onClose: () => void;
}

function RemoveHeader({ receiverId, header, onClose }: RemoveHeaderProps): ReactNode {
  const remove = useAct(RemoveHeaderDocument, {
    stale: ['receivers'],
    done: () => {
      toast(`${header.key} is removed`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`Remove the header ${header.key}`}
      isOpen
      onClose={onClose}
      onConfirm={() => remove.mutate({ input: { receiverId, headerId: header.id } })}
      action="Remove header"
      busy={remove.isPending}
      error={remove.error}
    >
      Requests that start from then on go without it. Its value is kept nowhere.
    </ConfirmDialog>
  );
}
