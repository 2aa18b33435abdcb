/** The screen "Changes and capture". */
import type { ReactNode } from 'react';
import { EmptyState } from '@/design/EmptyState';
import { PageHeader } from '@/design/PageHeader';

export default function CaptureScreen(): ReactNode {
  return (
    <>
      <PageHeader title="Changes and capture" />
      <EmptyState title="This screen is not built yet" />
    </>
  );
}
