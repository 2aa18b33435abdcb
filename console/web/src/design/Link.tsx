/** A link within the console, or with `href` to elsewhere. */
import type { ReactNode } from 'react';
import { Link as RouterLink } from 'react-router';
import { names } from './names';
import styles from './Link.module.css';

export type LinkProps = {
  readonly children: ReactNode;
  /** As an id or another exact value. */
  readonly mono?: boolean | undefined;
  /** Looks like a button. */
  readonly button?: 'primary' | 'plain' | undefined;
  readonly className?: string | undefined;
} & ({ readonly to: string; readonly href?: never } | { readonly href: string; readonly to?: never });

export function Link({ children, mono = false, button, className, ...target }: LinkProps): ReactNode {
  const look = names(
    button === undefined ? styles['link'] : styles[button],
    mono && styles['mono'],
    className,
  );
  if (target.to !== undefined) {
    return (
      <RouterLink to={target.to} className={look}>
        {children}
      </RouterLink>
    );
  }
  return (
    <a href={target.href} className={look} rel="noreferrer">
      {children}
    </a>
  );
}
