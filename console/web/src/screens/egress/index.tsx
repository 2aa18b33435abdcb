/** The addresses that deliveries come from, in the forms that the allow-lists of firewalls take. */
import type { ReactNode } from 'react';
import { graphql, useAsk } from '@/api';
import { Card } from '@/design/Card';
import { CodeBlock } from '@/design/CodeBlock';
import { EmptyState } from '@/design/EmptyState';
import { ErrorState } from '@/design/ErrorState';
import { PageHeader } from '@/design/PageHeader';
import { Skeleton } from '@/design/Skeleton';
import { allowLists } from './allowLists';
import styles from './egress.module.css';

const EgressDocument = graphql(`
  query EgressAddresses {
    webhookSourceIps
  }
`);

export default function EgressScreen(): ReactNode {
  return (
    <>
      <PageHeader
        title="Egress addresses"
        description="Deliveries come from these addresses. Give them to whoever runs the firewall in front of a receiver."
      />
      <Addresses />
    </>
  );
}

function Addresses(): ReactNode {
  const { data, error, refetch } = useAsk(['egress'], EgressDocument, {});
  if (error !== null && data === undefined)
    return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Skeleton />;
  const addresses = data.webhookSourceIps;
  if (addresses.length === 0) {
    return (
      <EmptyState title="No egress addresses are configured">
        <p>
          rowhook can not know from which public addresses its requests arrive. Set{' '}
          <code>receivers.egress_ips</code> in its configuration, in CIDR notation, and start it again; they
          then stand here and in the API.
        </p>
        <div className={styles['example']}>
          <CodeBlock label="example setting" code={'[receivers]\negress_ips = ["203.0.113.7/32"]'} />
        </div>
      </EmptyState>
    );
  }
  return (
    <div className={styles['forms']}>
      {allowLists(addresses).map(({ title, text }) => (
        <Card key={title} title={title}>
          <CodeBlock label={title} code={text} wrap />
        </Card>
      ))}
    </div>
  );
}
