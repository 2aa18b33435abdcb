/** The receivers and watched tables that a subscription can be about. */
import { useAsk, type ApiError } from '@/api';
import type {
  ResourceEnum,
  SubscriptionChoicesQuery,
  WebhookSubscriptionActions,
} from '@/api/generated/graphql';
import type { Option } from '@/design/Select';
import { SubscriptionChoicesDocument } from './documents';

export type Resource = SubscriptionChoicesQuery['webhookResources'][number];

export const ACTIONS: readonly Option<WebhookSubscriptionActions>[] = [
  { id: 'CREATE', label: 'CREATE: the row came to be' },
  { id: 'UPDATE', label: 'UPDATE: a column changed' },
  { id: 'DELETE', label: 'DELETE: the row went' },
];

export interface Choices {
  readonly resources: readonly Resource[];
  readonly resourceOptions: readonly Option<ResourceEnum>[];
  readonly receiverOptions: readonly Option[];
}

export interface AskedChoices {
  /** Undefined until they are read. */
  readonly data: Choices | undefined;
  readonly error: ApiError | null;
  readonly again: () => void;
}

export function useChoices(): AskedChoices {
  const { data, error, refetch } = useAsk(['receivers', 'choices'], SubscriptionChoicesDocument, {});
  return {
    data: data && choicesOf(data),
    error: data === undefined ? error : null,
    again: () => void refetch(),
  };
}

function choicesOf(data: SubscriptionChoicesQuery): Choices {
  return {
    resources: data.webhookResources,
    resourceOptions: data.webhookResources.map(({ name, table }) => ({
      id: name,
      label: `${name} (${table})`,
    })),
    receiverOptions: data.webhookReceivers.edges.map(({ node: { id, name, active } }) => ({
      id: `${id}`,
      label: active ? `${name} (${id})` : `${name} (${id}, inactive)`,
    })),
  };
}
