import type { Role } from '@/api/generated/graphql';

/** "Your key has role viewer. Ask for a key with role admin to make receivers." */
export function refusal(role: Role, needed: Role, to: string): string {
  return `Your key has role ${role}. Ask for a key with role ${needed} to ${to}.`;
}
