/** Exact text, in a fixed width, to read and to copy. */
import type { ReactNode } from 'react';
import { CopyButton } from './CopyButton';
import { names } from './names';
import styles from './CodeBlock.module.css';

export interface CodeBlockProps {
  readonly code: string;
  /** What it is, for people who do not see it. */
  readonly label: string;
  readonly wrap?: boolean | undefined;
}

export function CodeBlock({ code, label, wrap = false }: CodeBlockProps): ReactNode {
  return (
    <div className={styles['block']}>
      {/* A part of the page that scrolls must be reached by the keyboard. */}
      <pre
        className={names(styles['code'], wrap && styles['wrap'])}
        role="region"
        aria-label={label}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <code>{code}</code>
      </pre>
      <div className={styles['copy']}>
        <CopyButton text={code} label={`Copy ${label}`} />
      </div>
    </div>
  );
}
