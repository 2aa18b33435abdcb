/** The screen "Event". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function EventScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Event" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
