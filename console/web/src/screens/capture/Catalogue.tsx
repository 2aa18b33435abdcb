/** The watched tables, and whether the changes of each are logged. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import type { CaptureQuery, CatalogueQuery, WebhookTriggerState } from '@/api/generated/graphql';
import { Badge, type Tone } from '@/design/Badge';
import { Card } from '@/design/Card';
import { EmptyState } from '@/design/EmptyState';
import { ErrorNote } from '@/design/ErrorNote';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import { Table, type Column } from '@/design/Table';
import { CatalogueDocument } from './documents';
import styles from './capture.module.css';

type Watched = CaptureQuery['webhookCapture']['resources'][number];
type Resource = CatalogueQuery['webhookResources'][number];
interface Row {
  readonly watched: Watched;
  readonly resource: Resource | undefined;
}

const TRIGGERS: Readonly<Record<WebhookTriggerState, readonly [Tone, string]>> = {
  IN_FORCE: ['good', 'in force'],
  MISSING: ['bad', 'missing'],
  DISABLED: ['bad', 'disabled'],
  ALTERED: ['warn', 'altered'],
  TABLE_MISSING: ['bad', 'no such table'],
  UNKNOWN: ['quiet', 'unknown'],
};

const COLUMNS: readonly Column<Row>[] = [
  { id: 'resource', header: 'Resource', cell: ({ watched }) => <code>{watched.resource}</code> },
  {
    id: 'triggers',
    header: 'Triggers',
    cell: ({ watched: { triggers } }) => {
      const [tone, word] = TRIGGERS[triggers];
      return <Badge tone={tone}>{word}</Badge>;
    },
  },
  {
    id: 'table',
    header: 'Table',
    cell: ({ watched, resource }) => <code>{resource?.table ?? watched.table}</code>,
  },
  { id: 'key', header: 'Key', cell: ({ resource }) => <code>{resource?.key.join(', ') ?? ''}</code> },
  {
    id: 'columns',
    header: 'Columns',
    cell: ({ resource }) =>
      resource !== undefined && (
        <details className={styles['columns']}>
          <summary>{resource.columns.length} columns</summary>
          <ul>
            {resource.columns.map((column) => (
              <li key={column}>
                <code>{column}</code>
              </li>
            ))}
          </ul>
        </details>
      ),
  },
  {
    id: 'aliases',
    header: 'Also called',
    wideOnly: true,
    cell: ({ resource }) => <span className={styles['soft']}>{resource?.aliases.join(', ') ?? ''}</span>,
  },
  {
    id: 'looked',
    header: 'Looked at',
    wideOnly: true,
    cell: ({ watched: { lookedAt } }) => <RelativeTime at={lookedAt} never="not yet" />,
  },
];

export function Catalogue({ tables }: { readonly tables: readonly Watched[] }): ReactNode {
  const { data, error } = useAsk(['resources'], CatalogueDocument, {});
  if (tables.length === 0) {
    return (
      <EmptyState title="No tables are watched">
        Name the tables whose changes are to be delivered under <code>[[resources]]</code> in the
        configuration, then start rowhook again.
      </EmptyState>
    );
  }
  const rows = tables.map((watched) => ({
    watched,
    resource: data?.webhookResources.find(({ name }) => name === watched.resource),
  }));
  return (
    <Card title="Watched tables">
      {tables.map(({ resource, advice, triggers }) =>
        advice === null ? null : (
          <Note key={resource} kind="warn" title={`${resource}: triggers ${TRIGGERS[triggers][1]}`}>
            {advice}
          </Note>
        ),
      )}
      <ErrorNote error={error} />
      <Table
        stack
        label="Watched tables"
        columns={COLUMNS}
        rows={rows}
        rowKey={({ watched }) => watched.resource}
      />
      {tables.map(({ resource, note, notedAt }) =>
        note === null ? null : (
          <p key={resource} className={styles['soft']}>
            <code>{resource}</code>, <RelativeTime at={notedAt} />: {note}
          </p>
        ),
      )}
    </Card>
  );
}
