/** An address that no screen has. */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { Link } from '@/design/Link';
import { PageHeader } from '@/design/PageHeader';

export function NotFound(): ReactNode {
  return (
    <>
      <PageHeader title="No such page" />
      <EmptyState
        title="The console has no page at this address"
        action={<Link to="/">Go to the overview</Link>}
      >
        The link may be old or cut off.
      </EmptyState>
    </>
  );
}
