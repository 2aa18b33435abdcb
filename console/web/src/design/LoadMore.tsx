/** The end of a list read page by page: how much is shown, and the next page. */
import type { ReactNode } from 'react';
import { Button } from './Button';
import styles from './LoadMore.module.css';

export interface LoadMoreProps {
  readonly shown: number;
  readonly total?: number | string | undefined;
  readonly hasMore: boolean;
  readonly busy: boolean;
  readonly onMore: () => void;
}

export function LoadMore({ shown, total, hasMore, busy, onMore }: LoadMoreProps): ReactNode {
  return (
    <div className={styles['more']}>
      <span role="status">{total === undefined ? `${shown} shown` : `${shown} of ${total} shown`}</span>
      {hasMore && (
        <Button size="s" onPress={onMore} busy={busy}>
          Load more
        </Button>
      )}
    </div>
  );
}
