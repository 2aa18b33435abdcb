/** The screen "Egress addresses". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function EgressScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Egress addresses" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
