/** One figure with its name. */
import type { ReactNode } from 'react';
import { names } from './names';
import styles from './Stat.module.css';

export interface StatProps {
  readonly label: string;
  readonly value: ReactNode;
  readonly unit?: string | undefined;
  readonly note?: ReactNode;
  readonly tone?: 'good' | 'warn' | 'bad' | undefined;
}

export function Stat({ label, value, unit, note, tone }: StatProps): ReactNode {
  return (
    <dl className={styles['stat']}>
      <dt className={styles['label']}>{label}</dt>
      <dd className={names(styles['value'], tone !== undefined && styles[tone])}>
        {value}
        {unit !== undefined && <span className={styles['unit']}> {unit}</span>}
      </dd>
      {note !== undefined && <dd className={styles['note']}>{note}</dd>}
    </dl>
  );
}

/** Several of them side by side, as many as fit. */
export function Stats({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles['stats']}>{children}</div>;
}
