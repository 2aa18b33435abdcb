/** The screen "Overview". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function OverviewScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Overview" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
