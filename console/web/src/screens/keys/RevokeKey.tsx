/** Asks for the name of a key before it is revoked. */
import type { ReactNode } from 'react';
import { signOut, useAct } from '@/api';
import { ConfirmDialog } from '@/design/ConfirmDialog';
import { toast } from '@/design/toasts';
import { RevokeApiKeyDocument } from './documents';
import type { ApiKey } from './KeyList';

export interface RevokeKeyProps {
  readonly apiKey: ApiKey;
  /** It is the key of this session. */
  readonly isOwn: boolean;
  readonly onClose: () => void;
}

export function RevokeKey({ apiKey, isOwn, onClose }: RevokeKeyProps): ReactNode {
  const { id, name, prefix, role } = apiKey;
  const revoke = useAct(RevokeApiKeyDocument, {
    stale: isOwn ? [] : ['keys'],
    done: () => {
      toast(`Key ${name} is revoked`);
      onClose();
      if (isOwn) signOut();
    },
  });
  return (
    <ConfirmDialog
      title={`Revoke key ${name}`}
      isOpen
      onClose={onClose}
      onConfirm={() => revoke.mutate({ id })}
      action="Revoke key"
      confirmName={name}
      busy={revoke.isPending}
      error={revoke.error}
    >
      <p>
        Whatever uses the key that begins with <code>{prefix}</code> (role {role}) is refused from then on.
        This can not be undone.
      </p>
      {isOwn && <p>You are signed in with this key: revoking it signs you out.</p>}
    </ConfirmDialog>
  );
}
