/** What a receiver answered last, and when. The whole reason of a failure is told on hover and on the receiver's page. */
import type { ReactNode } from 'react';
import { Badge } from '@/design/Badge';
import { names } from '@/design/names';
import { RelativeTime } from '@/design/RelativeTime';
import { answerInAWord, type ToldAttempt } from './answer';
import styles from './receivers.module.css';

export interface LastAnswerProps {
  /** Null: none is known (see `lastAttempt` in the API). */
  readonly attempt: (ToldAttempt & { readonly startedAt: string }) | null;
}

export function LastAnswer({ attempt }: LastAnswerProps): ReactNode {
  if (attempt === null) return <span className={styles['soft']}>none yet</span>;
  return (
    <span className={styles['answer']} title={attempt.error ?? undefined}>
      <Badge tone={attempt.error === null ? 'good' : 'bad'}>{answerInAWord(attempt)}</Badge>
      <span className={names(styles['soft'], styles['oneLine'])}>
        <RelativeTime at={attempt.startedAt} />
      </span>
    </span>
  );
}
