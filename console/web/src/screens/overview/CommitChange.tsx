/** In the demo and with the sample's tables: commits a change of the chosen kind and shows what becomes of it. */
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { ask, useAct, useAsk, useRole } from '@/api';
import type {
  CreateSampleChangeMutation,
  ResourceEnum,
  WebhookSubscriptionActions,
} from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ErrorNote } from '@/design/ErrorNote';
import { RoleNote } from '@/design/RoleNote';
import { Select, type Option } from '@/design/Select';
import { CreateSampleChangeDocument, NewestEventDocument, SampleDocument } from './documents';
import { SampleEvents } from './SampleEvents';
import styles from './overview.module.css';

const ACTIONS: readonly Option<WebhookSubscriptionActions>[] = [
  { id: 'CREATE', label: 'CREATE: a row is made' },
  { id: 'UPDATE', label: 'UPDATE: the newest row changes' },
  { id: 'DELETE', label: 'DELETE: the newest row goes' },
];

interface Committed {
  readonly change: CreateSampleChangeMutation['createSampleChange'];
  /** The newest event that there was before. */
  readonly after: number | string;
}

export function CommitChange(): ReactNode {
  const { may } = useRole();
  const resources = useAsk(['sample'], SampleDocument, {}).data?.webhookSample?.resources;
  if (resources === undefined) return null;
  return (
    <Card title="Commit a change">
      <p className={styles['soft']}>
        Changes a row of the sample&apos;s tables, as an application would, and shows the delivery as it
        happens.
      </p>
      <RoleNote needs="operator" to="commit one" />
      {may('operator') && <Form resources={resources} />}
    </Card>
  );
}

function Form({ resources }: { readonly resources: readonly ResourceEnum[] }): ReactNode {
  const [resource, setResource] = useState<ResourceEnum | null>(resources[0] ?? null);
  const [action, setAction] = useState<WebhookSubscriptionActions>('CREATE');
  const [committed, setCommitted] = useState<Committed | null>(null);
  const [preparing, setPreparing] = useState(false);
  const commit = useAct(CreateSampleChangeDocument);
  const busy = preparing || commit.isPending;

  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (resource === null || busy) return;
    setPreparing(true);
    // A row may have had events before: only those that come now belong to this change.
    const newest = await ask(NewestEventDocument, {}).catch(() => null);
    setPreparing(false);
    commit.mutate(
      { input: { resource, action } },
      {
        onSuccess: ({ createSampleChange }) =>
          setCommitted({ change: createSampleChange, after: newest?.webhookEvents[0]?.id ?? 0 }),
      },
    );
  };

  return (
    <>
      <form className={styles['choice']} onSubmit={(event) => void submit(event)}>
        <Select
          label="Resource"
          options={resources.map((id) => ({ id, label: id }))}
          value={resource}
          onChange={setResource}
        />
        <Select label="Action" options={ACTIONS} value={action} onChange={setAction} />
        <Button type="submit" kind="primary" busy={busy}>
          Commit
        </Button>
      </form>
      <ErrorNote error={commit.error} />
      {committed !== null && (
        <div className={styles['card']}>
          <p role="status">{committed.change.description}</p>
          <SampleEvents
            key={`${committed.after}`}
            resource={committed.change.resource}
            action={committed.change.action}
            rowId={committed.change.rowId}
            after={committed.after}
          />
        </div>
      )}
    </>
  );
}
