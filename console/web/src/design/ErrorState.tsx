/** Takes the place of what could not be loaded: what happened, what to do, and a way to try again. */
import type { ReactNode } from 'react';
import { ERROR_MEANING, type ApiError } from '@/api/errors';
import { Button } from './Button';
import styles from './EmptyState.module.css';

export interface ErrorStateProps {
  readonly error: ApiError;
  readonly onRetry?: (() => void) | undefined;
}

export function ErrorState({ error, onRetry }: ErrorStateProps): ReactNode {
  const { title, mend } = ERROR_MEANING[error.code];
  return (
    <div className={styles['empty']} role="alert">
      <h2>{title}</h2>
      <p className={styles['text']}>{error.message}</p>
      <p className={styles['text']}>{mend}</p>
      {onRetry !== undefined && error.code !== 'FORBIDDEN' && <Button onPress={onRetry}>Try again</Button>}
    </div>
  );
}
