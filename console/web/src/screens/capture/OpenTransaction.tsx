/** The oldest transaction that has written something and is not over, in words. */
import type { ReactNode } from 'react';
import type { CaptureQuery } from '@/api/generated/graphql';
import { RelativeTime } from '@/design/RelativeTime';

export interface OpenTransactionProps {
  readonly transaction: CaptureQuery['webhookCapture']['oldestOpenTransaction'];
}

export function OpenTransaction({ transaction }: OpenTransactionProps): ReactNode {
  if (transaction === null) return 'none';
  const { pid, since, applicationName, preparedAs } = transaction;
  return (
    <>
      {preparedAs === null ? (
        <>
          process {pid === null ? 'unknown' : <code>{pid}</code>}
          {applicationName !== null && applicationName !== '' && <> of {applicationName}</>}
          {since === null ? (
            <>
              ; rowhook may not see since when (<code>grant pg_read_all_stats</code> lets it)
            </>
          ) : (
            <>
              , begun <RelativeTime at={since} />
            </>
          )}
        </>
      ) : (
        <>
          prepared as <code>{preparedAs}</code>
          {since !== null && (
            <>
              {' '}
              <RelativeTime at={since} />
            </>
          )}
        </>
      )}
    </>
  );
}
