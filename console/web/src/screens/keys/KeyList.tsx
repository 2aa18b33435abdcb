/** The keys in force, the newest first; those that were revoked on demand. */
import { useState, type ReactNode } from 'react';
import { useAsk, useCurrentUser } from '@/api';
import type { ApiKeysQuery } from '@/api/generated/graphql';
import { Badge } from '@/design/Badge';
import { Button } from '@/design/Button';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { RelativeTime } from '@/design/RelativeTime';
import { Skeleton } from '@/design/Skeleton';
import { Switch } from '@/design/Switch';
import { Table, type Column } from '@/design/Table';
import { ApiKeysDocument } from './documents';
import { RevokeKey } from './RevokeKey';
import styles from './keys.module.css';

export type ApiKey = ApiKeysQuery['apiKeys'][number];

export function KeyList({ onCreate }: { readonly onCreate: () => void }): ReactNode {
  const { data, error, refetch } = useAsk(['keys'], ApiKeysDocument, {});
  const own = useCurrentUser().data?.currentUser.id ?? null;
  const [withRevoked, setWithRevoked] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);

  if (error !== null && data === undefined)
    return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton />;

  const revoked = data.apiKeys.filter(({ revokedAt }) => revokedAt !== null).length;
  const keys = data.apiKeys.filter(({ revokedAt }) => withRevoked || revokedAt === null).toReversed();
  const columns: readonly Column<ApiKey>[] = [
    {
      id: 'name',
      header: 'Name',
      cell: ({ id, name }) => (
        <span className={styles['name']}>
          {name}
          {id === own && <Badge tone="info">this session</Badge>}
        </span>
      ),
    },
    { id: 'role', header: 'Role', cell: ({ role }) => role },
    { id: 'prefix', header: 'Begins with', cell: ({ prefix }) => <code>{prefix}…</code>, wideOnly: true },
    {
      id: 'made',
      header: 'Created',
      cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
      wideOnly: true,
    },
    { id: 'used', header: 'Last used', cell: ({ lastUsedAt }) => <RelativeTime at={lastUsedAt} /> },
    {
      id: 'revoke',
      header: 'Revocation',
      end: true,
      cell: (key) =>
        key.revokedAt === null ? (
          <Button size="s" label={`Revoke key ${key.name}`} onPress={() => setRevoking(key)}>
            Revoke
          </Button>
        ) : (
          <>
            revoked <RelativeTime at={key.revokedAt} />
          </>
        ),
    },
  ];

  return (
    <div className={styles['list']}>
      {revoked > 0 && (
        <Switch isSelected={withRevoked} onChange={setWithRevoked}>
          Show revoked keys ({revoked})
        </Switch>
      )}
      {keys.length === 0 ? (
        <EmptyState
          title="No API keys have been made"
          action={
            <Button kind="primary" onPress={onCreate}>
              Create key
            </Button>
          }
        >
          You are signed in with the <code>admin_key</code> of the configuration, which has no record. Make a
          key for each person and program, with the lowest role that is enough.
        </EmptyState>
      ) : (
        <Table label="API keys" columns={columns} rows={keys} rowKey={({ id }) => id} />
      )}
      {revoking !== null && (
        <RevokeKey apiKey={revoking} isOwn={revoking.id === own} onClose={() => setRevoking(null)} />
      )}
    </div>
  );
}
