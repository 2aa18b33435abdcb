/**
 * Catches what a screen throws, so that the rest of the console stays usable. A screen that can not be loaded is
 * most often one of an older version: a reload fetches the new one.
 */
import { Component, type ReactNode } from 'react';
import { Button } from '@/design/Button';
import { EmptyState } from '@/design/EmptyState';

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly error: Error | null;
}

export class ErrorBoundary extends Component<Props, State> {
  override readonly state: State = { error: null };

  static getDerivedStateFromError(thrown: unknown): State {
    return { error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <EmptyState
        title="This page could not be shown"
        action={<Button onPress={() => window.location.reload()}>Reload</Button>}
      >
        <p>{error.message}</p>
        <p>Reload the console. If rowhook was updated meanwhile, that fetches the new version.</p>
      </EmptyState>
    );
  }
}
