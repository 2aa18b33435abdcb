/** Live data that ended with an error: what happened, and a way to begin again. Nothing while all is well. */
import type { ReactNode } from 'react';
import { ERROR_MEANING, type ApiError } from '@/api/errors';
import { Button } from './Button';
import { Note } from './Note';
import styles from './LiveNote.module.css';

export interface LiveNoteProps {
  /** What `useLive` returned. */
  readonly live: { readonly error: ApiError | null; readonly retry: () => void };
}

export function LiveNote({ live: { error, retry } }: LiveNoteProps): ReactNode {
  if (error === null) return null;
  const { title, mend } = ERROR_MEANING[error.code];
  return (
    <Note kind="warn" title={`No live data: ${title}`}>
      <div className={styles['words']}>
        <span>
          {error.message}. {mend}
        </span>
        <Button size="s" onPress={retry}>
          Try again
        </Button>
      </div>
    </Note>
  );
}
