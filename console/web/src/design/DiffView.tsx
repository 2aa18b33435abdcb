/** What a change did to a row: each column with its old and new value side by side. */
import type { ReactNode } from 'react';
import { diffOf } from './diff';
import { names } from './names';
import styles from './DiffView.module.css';

export interface DiffViewProps {
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly new: Readonly<Record<string, unknown>> | null;
}

export function DiffView({ old, new: next }: DiffViewProps): ReactNode {
  return (
    // A part of the page that scrolls must be reached by the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles['scroll']} role="region" aria-label="Old and new values" tabIndex={0}>
      <table className={styles['table']}>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Old</th>
            <th scope="col">New</th>
          </tr>
        </thead>
        <tbody>
          {diffOf(old, next).map((line) => (
            <tr key={line.column}>
              <th scope="row">{line.column}</th>
              <Side text={line.old} look={line.changed && styles['removed']} />
              <Side text={line.new} look={line.changed && styles['added']} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Side({
  text,
  look,
}: {
  readonly text: string | undefined;
  readonly look: string | false | undefined;
}): ReactNode {
  if (text === undefined) return <td className={styles['absent']}>no row</td>;
  return (
    <td className={names(look)}>
      <code>{text}</code>
    </td>
  );
}
