/** The instances that share the database: which reads the changes, how many receivers each sends to, who has gone. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import type { InstancesQuery } from '@/api/generated/graphql';
import { Badge } from '@/design/Badge';
import { Card } from '@/design/Card';
import { ErrorState } from '@/design/ErrorState';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { Table, type Column } from '@/design/Table';
import { InstancesDocument } from './documents';
import { goneInWords, meaning, placeOf } from './instances';
import styles from './overview.module.css';

const EVERY_MS = 5_000;

type Instance = InstancesQuery['webhookInstances'][number];

const COLUMNS: readonly Column<Instance>[] = [
  {
    id: 'name',
    header: 'Instance',
    cell: ({ name, answering }) => (
      <>
        <code title={name}>{placeOf(name)}</code>{' '}
        {answering && <span className={styles['soft']}>this one</span>}
      </>
    ),
  },
  {
    id: 'state',
    header: 'State',
    cell: ({ running }) => <Badge tone={running ? 'good' : 'warn'}>{running ? 'runs' : 'gone'}</Badge>,
  },
  { id: 'reads', header: 'Reads changes', cell: ({ readsChanges }) => (readsChanges ? 'yes' : 'no') },
  { id: 'receivers', header: 'Receivers', cell: ({ receivers }) => receivers, end: true },
  { id: 'version', header: 'Release', cell: ({ version }) => version ?? 'unknown' },
  {
    id: 'started',
    header: 'Started',
    cell: ({ startedAt }) => <RelativeTime at={startedAt} never="unknown" />,
  },
  { id: 'heard', header: 'Heard of', cell: ({ heardAt }) => <RelativeTime at={heardAt} /> },
];

export function Instances(): ReactNode {
  const { data, error, refetch } = useAsk(['instances'], InstancesDocument, {}, { every: EVERY_MS });
  const instances = data?.webhookInstances;
  const gone = instances === undefined ? null : goneInWords(instances);
  return (
    <Card title="Instances">
      {instances === undefined && error !== null && (
        <ErrorState error={error} onRetry={() => void refetch()} />
      )}
      {instances === undefined && error === null && <Skeleton lines={2} />}
      {instances !== undefined && (
        <>
          {gone !== null && (
            <Note kind="warn" title={gone}>
              Killed, frozen or cut off from the database; those that run do its work. It is listed for a day.
              Look at the log of its process if nobody meant it.
            </Note>
          )}
          <p className={styles['soft']}>
            {meaning(instances)} An instance sends to the receivers that have something to do. See{' '}
            <code>docs/SCALING.md</code>.
          </p>
          <Table stack label="Instances" columns={COLUMNS} rows={instances} rowKey={({ name }) => name} />
        </>
      )}
    </Card>
  );
}
