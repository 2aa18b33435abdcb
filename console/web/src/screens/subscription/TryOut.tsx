/** Which of the last real changes a setting would have fired on, and why not. Nothing is sent or stored. */
import type { ReactNode } from 'react';
import { useRole, type ApiError } from '@/api';
import type { ResourceEnum, TryFilterQuery } from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { Card } from '@/design/Card';
import { ErrorNote } from '@/design/ErrorNote';
import { Note } from '@/design/Note';
import { RoleNote } from '@/design/RoleNote';
import { TriedChange } from './TriedChange';
import styles from './subscription.module.css';

export type Trial = TryFilterQuery['testWebhookFilter'];

export interface TryOutProps {
  /** Null: no resource is chosen yet. */
  readonly resource: ResourceEnum | null;
  readonly onTry: () => void;
  readonly busy: boolean;
  readonly trial: Trial | undefined;
  readonly error: ApiError | null;
  /** The form has changed since. */
  readonly stale: boolean;
}

export function TryOut(props: TryOutProps): ReactNode {
  const { resource, onTry, busy, trial, error, stale } = props;
  const { may } = useRole();
  const reason = resource === null ? 'Choose a resource first.' : undefined;
  return (
    <Card
      title="Try it on the last changes"
      actions={
        may('admin') && (
          <Button onPress={onTry} busy={busy} disabledReason={reason}>
            Try it
          </Button>
        )
      }
    >
      <p className={styles['soft']}>
        Shows which of the last 20 real changes of this resource and action would have fired. Nothing is sent
        or stored.
      </p>
      <RoleNote needs="admin" to="try a setting: the answer tells what stands in rows" />
      {error !== null && error.refusals.length === 0 && <ErrorNote error={error} />}
      {error !== null && error.refusals.length > 0 && (
        <Note kind="bad" title="The setting was refused">
          The fields that were refused say what to mend.
        </Note>
      )}
      {error === null && trial !== undefined && <Outcome trial={trial} stale={stale} />}
    </Card>
  );
}

function Outcome({ trial, stale }: { readonly trial: Trial; readonly stale: boolean }): ReactNode {
  const { changes, changeCount, firesCount, failedCount, complete, examined } = trial;
  if (changeCount === 0) {
    return (
      <Note title="There is no such change">
        None of the {examined} newest logged changes is of this resource and action. Try again after one was
        committed.
      </Note>
    );
  }
  return (
    <>
      <p role="status">
        {firesCount} of {changeCount} would have fired.
        {failedCount > 0 && ` On ${failedCount} the filter fails; those are delivered.`}
        {!complete && ` It looked at the newest ${examined} changes only.`}
        {stale && ' The setting was changed since: try it again.'}
      </p>
      <ul className={styles['tried']} aria-label="Tried changes">
        {changes.map((change) => (
          <li key={change.changeId}>
            <TriedChange change={change} />
          </li>
        ))}
      </ul>
    </>
  );
}
