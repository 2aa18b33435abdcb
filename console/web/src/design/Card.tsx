/** A part of a page with a heading of its own. */
import { useId, type ReactNode } from 'react';
import styles from './Card.module.css';

export interface CardProps {
  readonly title?: string | undefined;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Card({ title, actions, children }: CardProps): ReactNode {
  const id = useId();
  return (
    <section className={styles['card']} {...(title === undefined ? {} : { 'aria-labelledby': id })}>
      {title !== undefined && (
        <header className={styles['head']}>
          <h2 id={id}>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}
