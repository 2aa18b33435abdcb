/** The heading of a page, its title in the browser's tab, and what can be done on the page. */
import { useEffect, type ReactNode } from 'react';
import { Link } from './Link';
import styles from './PageHeader.module.css';

export interface PageHeaderProps {
  readonly title: string;
  /** Beside the title: a badge. */
  readonly mark?: ReactNode;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  /** Below all of it: what the key may not do here. */
  readonly note?: ReactNode;
  /** The list that the thing stands in. */
  readonly back?: { readonly to: string; readonly label: string } | undefined;
}

export function PageHeader({ title, mark, description, actions, note, back }: PageHeaderProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · rowhook`;
  }, [title]);
  return (
    <header className={styles['header']}>
      <div className={styles['words']}>
        {back !== undefined && <Link to={back.to}>{back.label}</Link>}
        <div className={styles['title']}>
          <h1>{title}</h1>
          {mark}
        </div>
        {description !== undefined && <p className={styles['description']}>{description}</p>}
      </div>
      {actions !== undefined && <div className={styles['actions']}>{actions}</div>}
      {note !== undefined && <div className={styles['note']}>{note}</div>}
    </header>
  );
}
