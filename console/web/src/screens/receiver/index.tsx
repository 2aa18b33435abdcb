/** The screen "Receiver". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function ReceiverScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Receiver" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
