/** The list of places. */
import type { ReactNode } from 'react';
import { NavLink, useLocation } from 'react-router';
import { needsFullLoad, PLACES } from './navigation';
import styles from './Shell.module.css';

export function Navigation({ onChoose }: { readonly onChoose?: (() => void) | undefined }): ReactNode {
  const { pathname } = useLocation();
  return (
    <nav aria-label="Console">
      <ul className={styles['places']}>
        {PLACES.map(({ to, label }) => (
          <li key={to}>
            <NavLink
              to={to}
              end={to === '/'}
              reloadDocument={needsFullLoad(pathname, to)}
              className={styles['place'] ?? ''}
              onClick={() => onChoose?.()}
            >
              {label}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}
