/** The screen "Events". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function EventsScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Events" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
