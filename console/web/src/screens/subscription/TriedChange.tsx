/** One change that a setting was tried on. Opened, it shows the row before and after, as the filter sees them. */
import { useState, type ReactNode } from 'react';
import { Badge } from '@/design/Badge';
import { DiffView } from '@/design/DiffView';
import { RelativeTime } from '@/design/RelativeTime';
import type { Trial } from './TryOut';
import styles from './subscription.module.css';

type Change = Trial['changes'][number];

export function TriedChange({ change }: { readonly change: Change }): ReactNode {
  const [open, setOpen] = useState(false);
  const { fires, reason, rowId, occurredAt } = change;
  return (
    <details className={styles['change']} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={styles['changeHead']}>
        <Badge tone={fires ? 'good' : 'quiet'}>{fires ? 'fires' : 'does not fire'}</Badge>
        <span className={styles['reason']}>{reason}</span>
        <code>{rowId === null ? 'row unknown' : `row ${JSON.stringify(rowId)}`}</code>
        <span className={styles['soft']}>
          <RelativeTime at={occurredAt} />
        </span>
      </summary>
      {open && <OldAndNew change={change} />}
    </details>
  );
}

function OldAndNew({ change }: { readonly change: Change }): ReactNode {
  // The API's rows are objects of the columns; of a row that can not be read there is neither.
  const rows = { old: change.old as Row, new: change.new as Row };
  if (rows.old === null && rows.new === null) {
    return <p className={styles['soft']}>The logged row can not be read.</p>;
  }
  return (
    <div className={styles['told']}>
      <DiffView {...rows} />
    </div>
  );
}

type Row = Readonly<Record<string, unknown>> | null;
