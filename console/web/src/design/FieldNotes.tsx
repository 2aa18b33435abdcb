/** What stands below a field: what it is for, and what is wrong with its value. */
import type { ReactNode } from 'react';
import { FieldError, Text } from 'react-aria-components';
import styles from './Field.module.css';

/** What every field takes. `error` makes it invalid and is told in words. */
export interface FieldProps {
  readonly label: string;
  readonly description?: ReactNode;
  readonly error?: string | undefined;
  readonly isDisabled?: boolean | undefined;
  readonly isRequired?: boolean | undefined;
}

export function FieldNotes({ description, error }: Pick<FieldProps, 'description' | 'error'>): ReactNode {
  return (
    <>
      {description !== undefined && description !== null && (
        <Text slot="description" className={styles['description'] ?? ''}>
          {description}
        </Text>
      )}
      <FieldError className={styles['error'] ?? ''}>{error}</FieldError>
    </>
  );
}
