/** When an event that the receiver does not take is tried again: each attempt after the first, and the total. */
import type { ReactNode } from 'react';
import { duration } from '@/design/time';
import { scheduleOf, spanOf, type RetryPolicy } from './schedule';
import styles from './receiver.module.css';

/** So many are told one by one; of more the last is. */
const SHOWN = 15;

export function SchedulePreview({ policy }: { readonly policy: RetryPolicy }): ReactNode {
  const planned = scheduleOf(policy);
  const last = planned.at(-1);
  if (last === undefined || planned.length === 1) {
    return <p>It is tried once. An event that the receiver does not take has failed then.</p>;
  }
  const { least, most } = spanOf(planned);
  const shown = planned.length > SHOWN ? [...planned.slice(0, SHOWN - 1), last] : planned;
  return (
    <>
      <ol className={styles['schedule']} aria-label="Attempts and when they are made">
        {shown.map(({ number, pauseMs, afterMs }) => (
          <li key={number} className={styles['planned']}>
            <span className={styles['ordinal']}>attempt {number}</span>
            <span>{number === 1 ? 'at once' : `+ ${duration(pauseMs)}`}</span>
            <span className={styles['ordinal']}>
              {number === 1 ? '\u00a0' : `after ${duration(afterMs)}`}
            </span>
          </li>
        ))}
      </ol>
      {planned.length > SHOWN && (
        <p className={styles['soft']}>{planned.length - SHOWN} attempts before the last are left out here.</p>
      )}
      <p>
        {planned.length} attempts in {duration(last.afterMs)} in all. Each pause is spread by ±20 %, so it
        takes {duration(least)} to {duration(most)}. A <code>Retry-After</code> of the receiver can make a
        pause longer.
      </p>
    </>
  );
}
