/** The screen "Subscriptions". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function SubscriptionsScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Subscriptions" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
