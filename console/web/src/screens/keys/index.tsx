/** The screen "Keys". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function KeysScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Keys" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
