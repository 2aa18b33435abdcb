/** A subscription's setting while it is written, and what of it is sent. */
import type {
  CreateWebhookSubscriptionInput,
  ResourceEnum,
  SubscriptionSettingFragment,
  TestWebhookFilterInput,
  UpdateWebhookSubscriptionInput,
  WebhookSubscriptionActions,
} from '@/api/generated/graphql';

export interface Draft {
  readonly receiverId: number | null;
  readonly resource: ResourceEnum | null;
  readonly action: WebhookSubscriptionActions;
  /** None: any column. */
  readonly changedFields: readonly string[];
  readonly filter: string;
}

export function newDraft(receiverId: number | null): Draft {
  return { receiverId, resource: null, action: 'UPDATE', changedFields: [], filter: '' };
}

export function draftOf(stored: SubscriptionSettingFragment): Draft {
  const { receiverId, resource, action, changedFields, filter } = stored;
  return { receiverId, resource, action, changedFields: changedFields ?? [], filter: filter ?? '' };
}

/** Whether both ask for the same, in whatever order their columns were chosen. */
export function sameSetting(a: Draft, b: Draft): boolean {
  const setting = (draft: Draft): string => {
    const { receiverId, resource, action } = draft;
    const { changedFields, filter } = narrowing(draft);
    return JSON.stringify([receiverId, resource, action, changedFields?.sort(), filter]);
  };
  return setting(a) === setting(b);
}

/** With another resource the columns are others: what was chosen of the old ones goes. */
export function withResource(draft: Draft, resource: ResourceEnum, columns: readonly string[]): Draft {
  return {
    ...draft,
    resource,
    changedFields: draft.changedFields.filter((column) => columns.includes(column)),
  };
}

/** Columns are only compared on UPDATE; nothing chosen and nothing written mean no condition. */
function narrowing({ action, changedFields, filter }: Draft) {
  return {
    changedFields: action === 'UPDATE' && changedFields.length > 0 ? [...changedFields] : null,
    filter: filter.trim() === '' ? null : filter,
  };
}

export function creation(draft: Draft, active: boolean): CreateWebhookSubscriptionInput | null {
  const { receiverId, resource, action } = draft;
  if (receiverId === null || resource === null) return null;
  return { receiverId, resource, action, active, ...narrowing(draft) };
}

export function update(stored: SubscriptionSettingFragment, draft: Draft): UpdateWebhookSubscriptionInput {
  const { resource, action } = draft;
  return { id: stored.id, etag: stored._etag, resource, action, ...narrowing(draft) };
}

export function trial(draft: Draft, last: number): TestWebhookFilterInput | null {
  const { resource, action } = draft;
  return resource === null ? null : { resource, action, last, ...narrowing(draft) };
}
