/** What surrounds every screen: the navigation, who is signed in, whether live data flows. */
import { Suspense, useEffect, useRef, useState, type ReactNode } from 'react';
import { Navigate, Outlet, useLocation } from 'react-router';
import { signOut, useCurrentUser, useKey } from '@/api/session';
import { Badge } from '@/design/Badge';
import { Dialog } from '@/design/Dialog';
import { IconButton } from '@/design/IconButton';
import { Skeleton } from '@/design/Skeleton';
import { Toasts } from '@/design/Toasts';
import { ConnectionState } from './ConnectionState';
import { ErrorBoundary } from './ErrorBoundary';
import { Navigation } from './Navigation';
import { ThemeSwitch } from './ThemeSwitch';
import styles from './Shell.module.css';

export function Shell(): ReactNode {
  const key = useKey();
  const { pathname, search } = useLocation();
  if (key === null) {
    const back = pathname === '/' && search === '' ? '' : `?to=${encodeURIComponent(pathname + search)}`;
    return <Navigate to={`/sign-in${back}`} replace />;
  }
  // Another key sees another rowhook: nothing that was shown or begun with the old one stays.
  return <SignedIn key={key} pathname={pathname} />;
}

function SignedIn({ pathname }: { readonly pathname: string }): ReactNode {
  const [menuOpen, setMenuOpen] = useState(false);
  const main = useFocusOnNewPage(pathname);
  return (
    <div className={styles['shell']}>
      <a
        href="#main"
        className={styles['skip']}
        onClick={(event) => {
          // The address stays as it is: only the focus moves.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header className={styles['bar']}>
        <span className={styles['menuButton']}>
          <IconButton icon="menu" label="Menu" onPress={() => setMenuOpen(true)} />
        </span>
        <span className={styles['brand']}>rowhook</span>
        <span className={styles['state']}>
          <ConnectionState />
          <WhoIsIt />
          <ThemeSwitch />
          <IconButton icon="leave" label="Sign out" onPress={signOut} />
        </span>
      </header>
      <aside className={styles['side']}>
        <Navigation />
      </aside>
      <Dialog title="Menu" isOpen={menuOpen} onClose={() => setMenuOpen(false)}>
        <Navigation onChoose={() => setMenuOpen(false)} />
      </Dialog>
      <main id="main" ref={main} tabIndex={-1} className={styles['main']}>
        <div className={styles['page']}>
          <ErrorBoundary key={pathname}>
            <Suspense fallback={<Skeleton lines={5} />}>
              <Outlet />
            </Suspense>
          </ErrorBoundary>
        </div>
      </main>
      <Toasts />
    </div>
  );
}

function WhoIsIt(): ReactNode {
  const user = useCurrentUser().data?.currentUser;
  if (user === undefined) return null;
  return (
    <span className={styles['who']} title={`Signed in with the API key "${user.name}"`}>
      <span className={styles['name']}>{user.name}</span>
      <Badge>{user.role}</Badge>
    </span>
  );
}

/** A new page begins at its top, for the eye and for a screen reader. */
function useFocusOnNewPage(pathname: string) {
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    // Tabs of one thing are one page.
    const page = (path: string): string => path.split('/').slice(0, 3).join('/');
    const isNew = page(shown.current) !== page(pathname);
    shown.current = pathname;
    if (!isNew) return;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}
