/** The filter: its text, where it was refused, and beside it the columns of the table and examples to take. */
import type { ReactNode } from 'react';
import type { WebhookSubscriptionActions } from '@/api/generated/graphql';
import { Button } from '@/design/Button';
import { TextField } from '@/design/TextField';
import type { Resource } from '../subscriptions/choices';
import { filterExamples, member } from './filterExamples';
import { filterFault } from './filterFault';
import styles from './subscription.module.css';

export interface FilterFieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly action: WebhookSubscriptionActions;
  readonly resource: Resource | undefined;
  /** What the API said of it. */
  readonly refused: string | undefined;
  readonly isDisabled: boolean;
}

export function FilterField(props: FilterFieldProps): ReactNode {
  const { value, onChange, action, resource, refused, isDisabled } = props;
  const fault = filterFault(refused);
  const rows = ROWS[action];
  const add = (column: string): void => {
    const name = member(rows[0], column);
    onChange(value === '' || /\s$/.test(value) ? value + name : `${value} ${name}`);
  };
  return (
    <div className={styles['filter']}>
      <div className={styles['written']}>
        <TextField
          label="Filter"
          value={value}
          onChange={onChange}
          rows={6}
          mono
          isDisabled={isDisabled}
          error={fault?.message}
          placeholder={`${rows[0]}.…`}
          description={
            <>
              A CEL expression over {SEEN[action]}; only changes of which it is true fire. Empty: every change
              does. A change on which it fails is delivered.
            </>
          }
        />
        {fault?.excerpt != null && (
          <pre className={styles['fault']} aria-label="Where the filter was refused">
            {fault.excerpt}
          </pre>
        )}
      </div>
      {resource !== undefined && (
        <div className={styles['help']}>
          <p className={styles['helpTitle']}>Columns of {resource.table}</p>
          <ul className={styles['columns']}>
            {resource.columns.map((column) => (
              <li key={column}>
                <Button
                  size="s"
                  isDisabled={isDisabled}
                  onPress={() => add(column)}
                  label={`Add ${column} to the filter`}
                >
                  <code>{column}</code>
                </Button>
              </li>
            ))}
          </ul>
          <p className={styles['helpTitle']}>Examples</p>
          <ul className={styles['examples']}>
            {filterExamples(action, resource.columns, resource.key).map(({ meaning, filter }) => (
              <li key={filter}>
                <button
                  type="button"
                  disabled={isDisabled}
                  className={styles['example']}
                  onClick={() => onChange(filter)}
                >
                  <span>{meaning}</span>
                  <code>{filter}</code>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** The rows that a change of each action has, the one that is asked most first. */
const ROWS = { CREATE: ['new'], UPDATE: ['new', 'old'], DELETE: ['old'] } as const;

const SEEN: Readonly<Record<WebhookSubscriptionActions, ReactNode>> = {
  CREATE: (
    <>
      the row that came to be, <code>new</code>
    </>
  ),
  UPDATE: (
    <>
      the whole row before and after, <code>old</code> and <code>new</code>
    </>
  ),
  DELETE: (
    <>
      the row that went, <code>old</code>
    </>
  ),
};
