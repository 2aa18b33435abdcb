/** Operations to begin with. A test checks each against the published schema. */
import type { Role } from '@/api/generated/graphql';

export interface Example {
  readonly id: string;
  readonly label: string;
  /** The role that it takes. */
  readonly needs: Role;
  readonly query: string;
  readonly variables?: string;
}

export const EXAMPLES: readonly Example[] = [
  {
    id: 'figures',
    label: 'Figures of all deliveries',
    needs: 'viewer',
    query: `query Figures {
  webhookStats {
    pending
    oldestPendingSeconds
    deliveredPerSecond
    failedPerSecond
    successRate
    latencyMs {
      p50
      p99
    }
    captureLagSeconds
  }
}
`,
  },
  {
    id: 'failed',
    label: 'Failed events, with their attempts',
    needs: 'viewer',
    query: `query FailedEvents {
  webhookEventConnection(first: 20, filters: { status: "failed" }) {
    edges {
      node {
        id
        resource
        action
        rowId
        error
        receiver {
          name
        }
        deliveryAttempts {
          startedAt
          responseStatus
          error
        }
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  },
  {
    id: 'receiver',
    label: 'A receiver with its subscriptions',
    needs: 'viewer',
    query: `query Receiver($id: Int!) {
  webhookReceiver(id: $id) {
    name
    webhookUri
    active
    health
    subscriptions {
      id
      resource
      action
      changedFields
      filter
      active
    }
  }
}
`,
    variables: `{
  "id": 1
}
`,
  },
  {
    id: 'redeliver',
    label: 'Redeliver an event',
    needs: 'operator',
    query: `mutation Redeliver($id: BigInt!) {
  redeliverWebhookEvent(id: $id) {
    webhookEvent {
      id
      status
      nextAttemptAt
    }
  }
}
`,
    variables: `{
  "id": 1
}
`,
  },
  {
    id: 'live',
    label: 'Watch events live',
    needs: 'viewer',
    query: `subscription Live {
  webhookEventChanged {
    id
    status
    resource
    action
    rowId
    attemptCount
    error
  }
}
`,
  },
];
