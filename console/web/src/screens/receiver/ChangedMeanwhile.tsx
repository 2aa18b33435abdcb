/** Says that somebody changed the receiver while a form was open, who, and offers to load it anew. */
import type { ReactNode } from 'react';
import { Button } from '@/design/Button';
import { Note } from '@/design/Note';
import { RelativeTime } from '@/design/RelativeTime';
import type { Receiver } from './parts';
import styles from './receiver.module.css';

export interface ChangedMeanwhileProps {
  /** As it is now. */
  readonly receiver: Receiver;
  readonly onReload: () => void;
}

export function ChangedMeanwhile({ receiver, onReload }: ChangedMeanwhileProps): ReactNode {
  return (
    <Note kind="warn" title="The receiver has changed since it was loaded">
      {receiver.updatedBy.name} changed it <RelativeTime at={receiver.updatedAt} />. Nothing of this form was
      saved. Load it anew to see what is set now; what was entered here is lost then.
      <div className={styles['remedies']}>
        <Button size="s" onPress={onReload}>
          Load anew
        </Button>
      </div>
    </Note>
  );
}
