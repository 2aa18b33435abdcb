/** Chooses a resource of this deployment and an action on it. */
import type { ReactNode } from 'react';
import { useAsk } from '@/api';
import type { ResourceEnum, WebhookSubscriptionActions } from '@/api/generated/graphql';
import { ErrorNote } from '@/design/ErrorNote';
import type { FieldErrors } from '@/design/fieldErrors';
import { Select } from '@/design/Select';
import { ResourcesDocument } from './documents';
import styles from './receiver.module.css';

const ACTIONS = [
  { id: 'CREATE', label: 'CREATE: the row came to be' },
  { id: 'UPDATE', label: 'UPDATE: a column of it changed' },
  { id: 'DELETE', label: 'DELETE: the row went' },
] as const;

export interface Kind {
  readonly resource: ResourceEnum | null;
  readonly action: WebhookSubscriptionActions;
}

export interface ChangeKindProps {
  readonly kind: Kind;
  readonly onChange: (kind: Kind) => void;
  readonly errors: FieldErrors;
}

export function ChangeKind({ kind, onChange, errors }: ChangeKindProps): ReactNode {
  const { data, error } = useAsk(['resources'], ResourcesDocument, {});
  return (
    <>
      <ErrorNote error={error} />
      <div className={styles['grid']}>
        <Select
          label="Resource"
          options={(data?.webhookResources ?? []).map(({ name }) => ({ id: name, label: name }))}
          value={kind.resource}
          onChange={(resource) => onChange({ ...kind, resource })}
          error={errors.of('resource')}
        />
        <Select
          label="Action"
          options={ACTIONS}
          value={kind.action}
          onChange={(action) => onChange({ ...kind, action })}
          error={errors.of('action')}
        />
      </div>
    </>
  );
}
