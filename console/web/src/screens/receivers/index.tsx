/** The screen "Receivers". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function ReceiversScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Receivers" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
