/** Holds the place of what is being loaded, in its size. */
import type { ReactNode } from 'react';
import styles from './Skeleton.module.css';

export interface SkeletonProps {
  readonly label?: string | undefined;
  readonly lines?: number | undefined;
  /** CSS height of one line. */
  readonly height?: string | undefined;
}

export function Skeleton({ label = 'Loading', lines = 3, height = '2.5rem' }: SkeletonProps): ReactNode {
  return (
    <div role="status" aria-label={label} className={styles['skeleton']}>
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} className={styles['line']} style={{ height }} />
      ))}
    </div>
  );
}
