/** What the overview asks of the API. */
import { graphql } from '@/api';

export const OverviewStatsDocument = graphql(`
  subscription OverviewStats {
    webhookStatsChanged {
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
`);

/** One list for each health, the worst first: the API orders by other things. */
export const OverviewReceiversDocument = graphql(`
  query OverviewReceivers($first: Int!) {
    all: webhookReceivers(first: 0) {
      pageInfo {
        totalCount
      }
    }
    probing: webhookReceivers(first: $first, filters: { health: [PROBING] }) {
      ...ReceiversOfHealth
    }
    failing: webhookReceivers(first: $first, filters: { health: [FAILING] }) {
      ...ReceiversOfHealth
    }
    inactive: webhookReceivers(first: $first, filters: { health: [INACTIVE] }) {
      ...ReceiversOfHealth
    }
  }

  fragment ReceiversOfHealth on WebhookReceiverConnection {
    edges {
      node {
        id
        name
        inactiveReason
        health
        healthDetails {
          reason
          since
        }
      }
    }
    pageInfo {
      totalCount
    }
  }
`);

export const PipelineDocument = graphql(`
  query Pipeline {
    webhookPipeline {
      instance
      ready
      notReadyReason
      capture
      stages {
        name
        state
        restarts
        lastEnd
      }
    }
  }
`);

export const InstancesDocument = graphql(`
  query Instances {
    webhookInstances {
      name
      version
      startedAt
      heardAt
      running
      readsChanges
      receivers
      answering
    }
  }
`);

export const LastHourDocument = graphql(`
  query LastHour {
    webhookStatsHistory(seconds: 3600, steps: 60) {
      from
      seconds
      delivered
      failedAttempts
      latencyMs {
        p50
        p99
      }
    }
  }
`);

export const SampleDocument = graphql(`
  query Sample {
    webhookSample {
      resources
    }
  }
`);

export const NewestEventDocument = graphql(`
  query NewestEvent {
    webhookEvents(limit: 1) {
      id
    }
  }
`);

export const CreateSampleChangeDocument = graphql(`
  mutation CreateSampleChange($input: CreateSampleChangeInput!) {
    createSampleChange(input: $input) {
      resource
      action
      rowId
      description
    }
  }
`);

export const SampleEventsDocument = graphql(`
  query SampleEvents($filters: WebhookEventFilters!) {
    webhookEvents(filters: $filters, limit: 20) {
      id
      status
      attemptCount
      responseStatus
      error
      receiver {
        id
        name
      }
    }
  }
`);

export const SampleEventChangedDocument = graphql(`
  subscription SampleEventChanged($filters: WebhookEventFilters!) {
    webhookEventChanged(filters: $filters) {
      id
      status
      attemptCount
      responseStatus
      error
      receiver {
        id
        name
      }
    }
  }
`);
