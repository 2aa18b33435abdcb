/** What of the list of receivers is shown, in words of the page's address: `?q=acme&health=failing&sort=name`. */
import type {
  WebhookReceiverFilters,
  WebhookReceiverHealth,
  WebhookReceiverSort,
} from '@/api/generated/graphql';

export const ORDERS = [
  { id: 'oldest', label: 'Oldest first', sort: { field: 'CREATED_AT', direction: 'ASC' } },
  { id: 'newest', label: 'Newest first', sort: { field: 'CREATED_AT', direction: 'DESC' } },
  { id: 'name', label: 'Name, A to Z', sort: { field: 'NAME', direction: 'ASC' } },
  { id: 'name-down', label: 'Name, Z to A', sort: { field: 'NAME', direction: 'DESC' } },
  { id: 'changed', label: 'Last changed first', sort: { field: 'UPDATED_AT', direction: 'DESC' } },
] as const satisfies readonly { id: string; label: string; sort: WebhookReceiverSort }[];

interface HealthChoice {
  readonly id: string;
  readonly label: string;
  /** Undefined: whatever it is. */
  readonly health?: WebhookReceiverHealth[];
}

const WHATEVER: HealthChoice = { id: 'any', label: 'Any' };

export const HEALTH: readonly HealthChoice[] = [
  WHATEVER,
  { id: 'healthy', label: 'Healthy', health: ['HEALTHY'] },
  { id: 'trouble', label: 'Failing or probing', health: ['FAILING', 'PROBING'] },
  { id: 'failing', label: 'Failing', health: ['FAILING'] },
  { id: 'probing', label: 'Probing', health: ['PROBING'] },
  { id: 'active', label: 'Active', health: ['HEALTHY', 'FAILING', 'PROBING'] },
  { id: 'inactive', label: 'Inactive', health: ['INACTIVE'] },
];

export interface ListView {
  readonly search: string;
  readonly order: (typeof ORDERS)[number];
  readonly health: HealthChoice;
}

export type Part = 'q' | 'sort' | 'health';

export function listViewOf(address: URLSearchParams): ListView {
  return {
    search: address.get('q') ?? '',
    order: ORDERS.find(({ id }) => id === address.get('sort')) ?? ORDERS[0],
    health: HEALTH.find(({ id }) => id === address.get('health')) ?? WHATEVER,
  };
}

/** The address with one part of the view changed; what is as by default is left out. */
export function withView(address: URLSearchParams, part: Part, value: string): URLSearchParams {
  const next = new URLSearchParams(address);
  const byDefault = { q: '', sort: ORDERS[0].id, health: WHATEVER.id }[part];
  if (value === byDefault) next.delete(part);
  else next.set(part, value);
  return next;
}

/** The API's filters; null when nothing narrows the list. */
export function filtersOf(search: string, { health }: HealthChoice): WebhookReceiverFilters | null {
  const text = search.trim();
  if (text === '' && health === undefined) return null;
  return { ...(text === '' ? {} : { search: text }), ...(health === undefined ? {} : { health }) };
}
