/** What the API finds out about a URI, in words for the one who types it. */
import type { CheckUriQuery } from '@/api/generated/graphql';

type UriCheck = Omit<CheckUriQuery['checkWebhookUri'], 'uri'>;

export interface UriVerdict {
  readonly tone: 'good' | 'warn' | 'bad';
  readonly text: string;
  /** Its host's addresses, each with why it is not connected to. */
  readonly addresses: readonly string[];
}

export function verdictOf({ accepted, allowed, problems, addresses }: UriCheck): UriVerdict {
  const found = addresses.map((one) =>
    one.allowed ? one.address : `${one.address} (not connected to: ${one.reason ?? 'not allowed'})`,
  );
  const why = problems.map(sentence).join(' ');
  if (!accepted) return { tone: 'bad', text: `It would be refused. ${why}`, addresses: found };
  if (!allowed) {
    return {
      tone: 'warn',
      text: `It can be saved, but deliveries would not arrive as things are. ${why}`,
      addresses: found,
    };
  }
  return { tone: 'good', text: 'Deliveries are allowed to go there.', addresses: found };
}

/** The API's words begin with the name of the field or with that of the host. */
function sentence(problem: string): string {
  const told = problem.replace(/^webhookUri /, 'It ');
  return /[.!?]$/.test(told) ? told : `${told}.`;
}
