/** What of the list of receivers is shown, in words of the page's address: `?q=acme&active=false&sort=name`. */
import type { WebhookReceiverSort } from '@/api/generated/graphql';

export const ORDERS = [
  { id: 'oldest', label: 'Oldest first', sort: { field: 'CREATED_AT', direction: 'ASC' } },
  { id: 'newest', label: 'Newest first', sort: { field: 'CREATED_AT', direction: 'DESC' } },
  { id: 'name', label: 'Name, A to Z', sort: { field: 'NAME', direction: 'ASC' } },
  { id: 'name-down', label: 'Name, Z to A', sort: { field: 'NAME', direction: 'DESC' } },
  { id: 'changed', label: 'Last changed first', sort: { field: 'UPDATED_AT', direction: 'DESC' } },
] as const satisfies readonly { id: string; label: string; sort: WebhookReceiverSort }[];

export const ACTIVITY = [
  { id: 'all', label: 'Active and inactive', active: undefined },
  { id: 'active', label: 'Active', active: true },
  { id: 'inactive', label: 'Inactive', active: false },
] as const;

export interface ListView {
  readonly search: string;
  readonly order: (typeof ORDERS)[number];
  readonly activity: (typeof ACTIVITY)[number];
}

export function listViewOf(address: URLSearchParams): ListView {
  return {
    search: address.get('q') ?? '',
    order: ORDERS.find(({ id }) => id === address.get('sort')) ?? ORDERS[0],
    activity: ACTIVITY.find(({ id }) => id === address.get('active')) ?? ACTIVITY[0],
  };
}

/** The address with one part of the view changed; what is as by default is left out. */
export function withView(
  address: URLSearchParams,
  part: 'q' | 'sort' | 'active',
  value: string,
): URLSearchParams {
  const next = new URLSearchParams(address);
  if (value === '' || value === ORDERS[0].id || value === ACTIVITY[0].id) next.delete(part);
  else next.set(part, value);
  return next;
}

/** Whether each word of the search stands in the name or in the URI. */
export function matches(search: string, { name, webhookUri }: { name: string; webhookUri: string }): boolean {
  const text = `${name}\n${webhookUri}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
