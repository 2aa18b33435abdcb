/** The screen "Playground". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function PlaygroundScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Playground" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
