/** The playground: any operation of the API, with the key that is signed in. Its editor is a chunk of its own. */
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { useRole } from '@/api';
import { Menu } from '@/design/Menu';
import { PageHeader } from '@/design/PageHeader';
import { RoleNote } from '@/design/RoleNote';
import { Skeleton } from '@/design/Skeleton';
import { EXAMPLES, type Example } from './examples';
import styles from './playground.module.css';

const Editor = lazy(() => import('./Editor'));

/** An example that was asked for; asked for twice, it is opened twice. */
export interface Wanted {
  readonly example: Example;
}

export default function PlaygroundScreen(): ReactNode {
  const { may, whyNot } = useRole();
  const [wanted, setWanted] = useState<Wanted | null>(null);
  return (
    <div className={styles['screen']}>
      <PageHeader
        title="Playground"
        description="Operations run with the key that you are signed in with: mutations change this deployment."
        actions={
          <Menu
            label="Example operations"
            inWords
            actions={EXAMPLES.map((example) => ({
              id: example.id,
              label: example.label,
              onAction: () => setWanted({ example }),
              disabledReason: whyNot(example.needs),
            }))}
          />
        }
        note={
          may('operator') ? (
            <RoleNote needs="admin" to="run mutations that change settings" />
          ) : (
            <RoleNote needs="operator" to="run mutations; those that change settings take role admin" />
          )
        }
      />
      <div className={styles['editor']}>
        <Suspense fallback={<Skeleton label="Loading the editor" lines={1} height="70vh" />}>
          <Editor wanted={wanted} />
        </Suspense>
      </div>
    </div>
  );
}
