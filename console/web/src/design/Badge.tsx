/** A state in a word. The word says it all; the colour only helps to find it. */
import type { ReactNode } from 'react';
import { names } from './names';
import styles from './Badge.module.css';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet';

export function Badge({
  tone = 'quiet',
  children,
}: {
  readonly tone?: Tone;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <span className={names(styles['badge'], styles[tone])}>
      <span className={styles['dot']} aria-hidden="true" />
      {children}
    </span>
  );
}
