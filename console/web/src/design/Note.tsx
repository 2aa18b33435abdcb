/** Something to know beside what it is about. `bad` and `warn` are read out when they appear. */
import type { ReactNode } from 'react';
import { names } from './names';
import styles from './Note.module.css';

export interface NoteProps {
  readonly kind?: 'info' | 'good' | 'warn' | 'bad' | undefined;
  readonly title?: string | undefined;
  readonly children: ReactNode;
}

export function Note({ kind = 'info', title, children }: NoteProps): ReactNode {
  return (
    <div
      className={names(styles['note'], styles[kind])}
      role={kind === 'bad' || kind === 'warn' ? 'alert' : 'note'}
    >
      {title !== undefined && <p className={styles['title']}>{title}</p>}
      <div>{children}</div>
    </div>
  );
}
