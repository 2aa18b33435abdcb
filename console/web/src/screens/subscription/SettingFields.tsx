/** What a subscription fires on: resource, action, changed fields and filter. */
import type { ReactNode } from 'react';
import type { ApiError } from '@/api';
import { CheckboxGroup } from '@/design/CheckboxGroup';
import { fieldErrors } from '@/design/fieldErrors';
import { Select } from '@/design/Select';
import { ACTIONS, type Choices } from '../subscriptions/choices';
import { withResource, type Draft } from './draft';
import { FilterField } from './FilterField';
import styles from './subscription.module.css';

export const SETTING_FIELDS = ['resource', 'action', 'changedFields', 'filter'] as const;

export interface SettingFieldsProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
  readonly choices: Choices;
  readonly error: ApiError | null;
  readonly isDisabled: boolean;
}

export function SettingFields({
  draft,
  onChange,
  choices,
  error,
  isDisabled,
}: SettingFieldsProps): ReactNode {
  const errors = fieldErrors(error);
  const resource = choices.resources.find(({ name }) => name === draft.resource);
  // A column that the table has lost since is shown, so that it can be taken out.
  const columns = [...new Set([...(resource?.columns ?? []), ...draft.changedFields])];
  return (
    <>
      <div className={styles['pair']}>
        <Select
          label="Resource"
          isRequired
          isDisabled={isDisabled}
          options={choices.resourceOptions}
          value={draft.resource}
          onChange={(name) => {
            const chosen = choices.resources.find((one) => one.name === name);
            onChange(withResource(draft, name, chosen?.columns ?? []));
          }}
          placeholder="Choose a watched table"
          error={errors.of('resource')}
        />
        <Select
          label="Action"
          isRequired
          isDisabled={isDisabled}
          options={ACTIONS}
          value={draft.action}
          onChange={(action) => onChange({ ...draft, action })}
          error={errors.of('action')}
        />
      </div>
      {draft.action === 'UPDATE' && resource !== undefined && (
        <CheckboxGroup
          label="Changed fields"
          description="Fires only when at least one of these changed. None chosen: when any column did."
          isDisabled={isDisabled}
          options={columns.map((column) => ({ id: column, label: column }))}
          value={draft.changedFields}
          onChange={(changedFields) => onChange({ ...draft, changedFields })}
          error={errors.of('changedFields')}
        />
      )}
      <FilterField
        value={draft.filter}
        onChange={(filter) => onChange({ ...draft, filter })}
        action={draft.action}
        resource={resource}
        refused={errors.of('filter')}
        isDisabled={isDisabled}
      />
    </>
  );
}
