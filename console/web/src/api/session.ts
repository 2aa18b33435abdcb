/**
 * Who is signed in: the key of this tab and what it may do.
 */
import { useEffect, useSyncExternalStore } from 'react';
import { graphql } from '@/api/generated';
import type { Role } from '@/api/generated/graphql';
import { ask } from './client';
import { onKeyChange, storedKey, storeKey, wasRefused } from './key';
import { queryClient, useAsk } from './queries';

export const CurrentUserDocument = graphql(`
  query CurrentUser {
    currentUser {
      id
      name
      role
    }
  }
`);

/** Tries a key and signs in with it; throws the ApiError of a refused one and leaves all as it was. */
export async function signIn(key: string): Promise<void> {
  await ask(CurrentUserDocument, {}, { key });
  storeKey(key);
}

export function signOut(): void {
  storeKey(null);
}

export function useKey(): string | null {
  return useSyncExternalStore(onKeyChange, storedKey);
}

/** Whether this tab was signed out because rowhook does not accept its key. */
export function useRefused(): boolean {
  return useSyncExternalStore(onKeyChange, wasRefused);
}

/** What one key read is not for the next. */
export function useForgetWithKey(): void {
  useEffect(() => onKeyChange(() => queryClient.clear()), []);
}

export function useCurrentUser() {
  const key = useKey();
  return useAsk(['currentUser'], CurrentUserDocument, {}, { enabled: key !== null });
}

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, admin: 2 };

export function mayAs(role: Role | undefined, needed: Role): boolean {
  return role !== undefined && RANK[role] >= RANK[needed];
}

export interface Permission {
  readonly role: Role | undefined;
  /** Whether the key may do what this role may. */
  readonly may: (needed: Role) => boolean;
  /** For `disabledReason` of a control; undefined where it is allowed. */
  readonly whyNot: (needed: Role) => string | undefined;
}

/** `const { may, whyNot } = useRole(); <Button disabledReason={whyNot('admin')}>` */
export function useRole(): Permission {
  const role = useCurrentUser().data?.currentUser.role;
  const may = (needed: Role): boolean => mayAs(role, needed);
  return {
    role,
    may,
    whyNot: (needed) => {
      if (may(needed)) return undefined;
      return role === undefined
        ? 'Reading what your key may do.'
        : `This needs role ${needed}; your key has role ${role}.`;
    },
  };
}
