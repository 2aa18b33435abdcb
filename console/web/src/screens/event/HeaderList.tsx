/** HTTP headers, one a line. */
import { Fragment, type ReactNode } from 'react';
import styles from './EventScreen.module.css';

export function HeaderList({
  headers,
}: {
  readonly headers: readonly (readonly [name: string, value: ReactNode])[];
}): ReactNode {
  return (
    <dl className={styles['headers']}>
      {headers.map(([name, value], at) => (
        <Fragment key={`${name} ${at}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
