/** Shows its children to keys of a role, and to others why not. For single controls see `useRole().whyNot`. */
import type { ReactNode } from 'react';
import type { Role } from '@/api/generated/graphql';
import { useRole } from '@/api/session';
import { EmptyState } from './EmptyState';
import { refusal } from './refusal';
import { Skeleton } from './Skeleton';

export interface RoleGateProps {
  readonly needs: Role;
  /** What it is that the role may do, as in "see and make API keys". */
  readonly to: string;
  readonly children: ReactNode;
}

export function RoleGate({ needs, to, children }: RoleGateProps): ReactNode {
  const { role, may } = useRole();
  if (role === undefined) return <Skeleton />;
  if (may(needs)) return children;
  return <EmptyState title={`This needs role ${needs}`}>{refusal(role, needs, to)}</EmptyState>;
}
