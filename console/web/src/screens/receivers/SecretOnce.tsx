/** A secret, shown once: it goes when it was said to be kept. */
import type { ReactNode } from 'react';
import { Button } from '@/design/Button';
import { CodeBlock } from '@/design/CodeBlock';
import { Note } from '@/design/Note';
import styles from './receivers.module.css';

export interface SecretOnceProps {
  readonly secret: string;
  readonly onKept: () => void;
  readonly children?: ReactNode;
}

export function SecretOnce({ secret, onKept, children }: SecretOnceProps): ReactNode {
  return (
    <div className={styles['once']}>
      <Note kind="warn" title="This secret is shown once">
        Keep it where the receiver finds it, as in its environment. rowhook never shows it again; if it is
        lost, rotate it.
      </Note>
      <CodeBlock code={secret} label="the shared secret" wrap />
      {children}
      <div className={styles['actions']}>
        <Button kind="primary" onPress={onKept}>
          I have kept it
        </Button>
      </div>
    </div>
  );
}
