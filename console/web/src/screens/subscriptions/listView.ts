/** What of the list is shown, in words of the page's address: `?receiver=3&resource=RUN&action=UPDATE&active=true`. */
import type {
  ResourceEnum,
  WebhookSubscriptionActions,
  WebhookSubscriptionFilters,
} from '@/api/generated/graphql';

export const PARTS = ['receiver', 'resource', 'action', 'active'] as const;
export type Part = (typeof PARTS)[number];

const ACTION_NAMES: readonly WebhookSubscriptionActions[] = ['CREATE', 'UPDATE', 'DELETE'];

/** What the address does not say, or says in words that are none of the list's, narrows nothing. */
export function filtersOf(address: URLSearchParams): WebhookSubscriptionFilters {
  const receiver = address.get('receiver') ?? '';
  const resource = address.get('resource') ?? '';
  const action = ACTION_NAMES.find((name) => name === address.get('action'));
  const active = address.get('active');
  return {
    ...(/^\d{1,9}$/.test(receiver) ? { receiverId: Number(receiver) } : {}),
    // Which resources there are is the deployment's; one that it does not have is refused with its name.
    ...(/^[A-Z_][A-Z0-9_]*$/.test(resource) ? { resource: resource as ResourceEnum } : {}),
    ...(action === undefined ? {} : { action }),
    ...(active === 'true' || active === 'false' ? { active: active === 'true' } : {}),
  };
}

export function withPart(address: URLSearchParams, part: Part, value: string | null): URLSearchParams {
  const next = new URLSearchParams(address);
  if (value === null) next.delete(part);
  else next.set(part, value);
  return next;
}
