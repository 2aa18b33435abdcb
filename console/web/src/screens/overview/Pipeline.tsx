/** The stages of the instance that answers, and whether it can do its work. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import type { PipelineQuery, WebhookCaptureRole, WebhookStageState } from '@/api/generated/graphql';
import { Badge, type Tone } from '@/design/Badge';
import { Card } from '@/design/Card';
import { ErrorState } from '@/design/ErrorState';
import { Note } from '@/design/Note';
import { Skeleton } from '@/design/Skeleton';
import { Table, type Column } from '@/design/Table';
import { PipelineDocument } from './documents';
import styles from './overview.module.css';

const EVERY_MS = 5_000;

type Stage = PipelineQuery['webhookPipeline']['stages'][number];

const DOES: Readonly<Record<string, string>> = {
  cdc_poller: 'reads changes',
  fan_out: 'makes events',
  dispatcher: 'starts senders',
  sender: 'sends to the receivers',
  outcome_recorder: 'writes what came of attempts',
  retention: 'drops what is old',
  catalogue_watch: 'keeps triggers in force',
  reconciler: 'compares changes with events',
};

const STATE: Readonly<Record<WebhookStageState, readonly [Tone, string]>> = {
  UP: ['good', 'up'],
  STARTING: ['info', 'starting'],
  FAILING: ['bad', 'failing'],
};

const PART: Readonly<Record<WebhookCaptureRole, string>> = {
  STARTING: 'has not found out yet whether it reads the changes',
  POLLING: 'reads the changes',
  STANDING_BY: 'stands by for the instance that reads the changes',
  FAILING: 'can not read the changes',
};

const COLUMNS: readonly Column<Stage>[] = [
  {
    id: 'name',
    header: 'Stage',
    cell: ({ name }) => (
      <>
        <code>{name}</code> <span className={styles['soft']}>{DOES[name] ?? ''}</span>
      </>
    ),
  },
  {
    id: 'state',
    header: 'State',
    cell: ({ state }) => {
      const [tone, word] = STATE[state];
      return <Badge tone={tone}>{word}</Badge>;
    },
  },
  {
    id: 'restarts',
    header: 'Restarts',
    end: true,
    cell: ({ restarts, lastEnd }) => (lastEnd === null ? restarts : `${restarts} (last: ${lastEnd})`),
  },
];

export function Pipeline(): ReactNode {
  const { data, error, refetch } = useAsk(['pipeline'], PipelineDocument, {}, { every: EVERY_MS });
  const pipeline = data?.webhookPipeline;
  return (
    <Card
      title="Pipeline"
      actions={
        pipeline !== undefined && (
          <Badge tone={pipeline.ready ? 'good' : 'bad'}>{pipeline.ready ? 'ready' : 'not ready'}</Badge>
        )
      }
    >
      {pipeline === undefined && error !== null && (
        <ErrorState error={error} onRetry={() => void refetch()} />
      )}
      {pipeline === undefined && error === null && <Skeleton lines={4} />}
      {pipeline !== undefined && (
        <>
          {pipeline.notReadyReason !== null && (
            <Note kind="bad" title="This instance is not ready">
              {pipeline.notReadyReason}
            </Note>
          )}
          <p className={styles['soft']}>
            Instance <code>{pipeline.instance}</code> {PART[pipeline.capture]}.
          </p>
          <Table label="Stages" columns={COLUMNS} rows={pipeline.stages} rowKey={({ name }) => name} />
        </>
      )}
    </Card>
  );
}
