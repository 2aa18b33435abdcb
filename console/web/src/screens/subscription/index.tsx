/** The screen "Subscription". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function SubscriptionScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Subscription" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
