/** What the API finds out about a URI once the typing pauses: whether it is taken, and where its host leads. */
import type { ReactNode } from 'react';
import { useAsk, useRole } from '@/api';
import { useSettled } from '@/design/useSettled';
import { CheckUriDocument } from './documents';
import { faultOf } from './uri';
import { verdictOf } from './uriVerdict';
import styles from './receivers.module.css';

const PAUSE_MS = 500;

export function UriCheck({ uri }: { readonly uri: string }): ReactNode {
  const { may } = useRole();
  const settled = useSettled(uri, PAUSE_MS);
  const worthIt = may('admin') && faultOf(uri) === undefined;
  const { data, error } = useAsk(
    ['egress', 'uri'],
    CheckUriDocument,
    { uri: settled },
    { enabled: worthIt && settled === uri },
  );
  return (
    <span role="status" className={styles['uriCheck']}>
      {worthIt && <Said uri={uri} check={data?.checkWebhookUri} failed={error !== null} />}
    </span>
  );
}

interface SaidProps {
  readonly uri: string;
  readonly check: (Parameters<typeof verdictOf>[0] & { readonly uri: string }) | undefined;
  readonly failed: boolean;
}

function Said({ uri, check, failed }: SaidProps): ReactNode {
  if (failed) return 'It could not be looked up now; saving it says whether it is taken.';
  if (check?.uri !== uri) return 'Looking up its host …';
  const { tone, text, addresses } = verdictOf(check);
  return (
    <>
      <span className={styles[tone]}>{text}</span>
      {addresses.length > 0 && (
        <span className={styles['addresses']}>
          {addresses.length === 1 ? 'Address: ' : 'Addresses: '}
          {addresses.join(', ')}
        </span>
      )}
    </>
  );
}
