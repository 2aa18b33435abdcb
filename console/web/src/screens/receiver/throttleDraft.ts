/**
 * The form of throttle and retry: an empty field is the default. The API tells what is in force and not whether it
 * was set, so what equals a known default is shown as empty, and only what was changed is sent.
 */
import type { UpdateWebhookReceiverInput, WebhookOrdering } from '@/api/generated/graphql';
import type { Receiver } from './parts';
import { DEFAULT_POLICY, type RetryPolicy } from './schedule';

export type PolicyDraft = { readonly [Part in keyof RetryPolicy]: number | null };

export interface ThrottleDraft {
  readonly perSecond: number | null;
  readonly burst: number | null;
  readonly maxInFlight: number | null;
  readonly timeoutMs: number | null;
  readonly ordering: WebhookOrdering;
  readonly policy: PolicyDraft;
}

export const POLICY_PARTS = ['maxAttempts', 'initialDelayMs', 'multiplier', 'maxDelayMs'] as const;

type Settings = Pick<Receiver, 'rateLimit' | 'maxInFlight' | 'timeoutMs' | 'ordering' | 'retryPolicy'>;

/** The API's default of a throttle that names no burst. */
export function defaultBurst(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond / 10));
}

export function draftOf({
  rateLimit,
  maxInFlight,
  timeoutMs,
  ordering,
  retryPolicy,
}: Settings): ThrottleDraft {
  const unlessDefault = (part: keyof RetryPolicy): number | null =>
    retryPolicy[part] === DEFAULT_POLICY[part] ? null : retryPolicy[part];
  return {
    perSecond: rateLimit?.perSecond ?? null,
    burst: rateLimit?.burst ?? null,
    maxInFlight,
    timeoutMs,
    ordering,
    policy: {
      maxAttempts: unlessDefault('maxAttempts'),
      initialDelayMs: unlessDefault('initialDelayMs'),
      multiplier: unlessDefault('multiplier'),
      maxDelayMs: unlessDefault('maxDelayMs'),
    },
  };
}

/** The policy that a draft makes, for its preview. */
export function policyOf({ policy }: ThrottleDraft): RetryPolicy {
  return {
    maxAttempts: policy.maxAttempts ?? DEFAULT_POLICY.maxAttempts,
    initialDelayMs: policy.initialDelayMs ?? DEFAULT_POLICY.initialDelayMs,
    multiplier: policy.multiplier ?? DEFAULT_POLICY.multiplier,
    maxDelayMs: policy.maxDelayMs ?? DEFAULT_POLICY.maxDelayMs,
  };
}

export type Changes = Omit<UpdateWebhookReceiverInput, 'id' | 'etag'>;

/** What differs between two drafts, as the API takes it; null where nothing does. */
export function changesOf(before: ThrottleDraft, after: ThrottleDraft): Changes | null {
  const retryPolicy = Object.fromEntries(
    POLICY_PARTS.filter((part) => before.policy[part] !== after.policy[part]).map((part) => [
      part,
      after.policy[part],
    ]),
  );
  const { perSecond, burst } = after;
  const changes: Changes = {
    ...(before.perSecond === perSecond && before.burst === burst
      ? {}
      : { rateLimit: perSecond === null ? null : { perSecond, burst } }),
    ...(before.maxInFlight === after.maxInFlight ? {} : { maxInFlight: after.maxInFlight }),
    ...(before.timeoutMs === after.timeoutMs ? {} : { timeoutMs: after.timeoutMs }),
    ...(before.ordering === after.ordering ? {} : { ordering: after.ordering }),
    ...(Object.keys(retryPolicy).length === 0 ? {} : { retryPolicy }),
  };
  return Object.keys(changes).length === 0 ? null : changes;
}
