/** Says in words what a key may not do here, and who can. Nothing to keys that may. */
import type { ReactNode } from 'react';
import type { Role } from '@/api/generated/graphql';
import { useRole } from '@/api/session';
import { Note } from './Note';
import { refusal } from './refusal';

export interface RoleNoteProps {
  readonly needs: Role;
  /** What it is that the role may do, as in "change its headers". */
  readonly to: string;
}

export function RoleNote({ needs, to }: RoleNoteProps): ReactNode {
  const { role, may } = useRole();
  if (role === undefined || may(needs)) return null;
  return <Note>{refusal(role, needs, to)}</Note>;
}
