/** What the list of events asks of the API. */
import { graphql } from '@/api';
import type { EventsPageQuery } from '@/api/generated/graphql';

export const EventsPageDocument = graphql(`
  query EventsPage($first: Int!, $after: String, $filters: WebhookEventFilters!) {
    webhookEventConnection(first: $first, after: $after, filters: $filters) {
      edges {
        node {
          ...EventRow
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

export const EventRowFragment = graphql(`
  fragment EventRow on WebhookEvent {
    id
    test
    status
    resource
    action
    rowId
    occurredAt
    responseStatus
    attemptCount
    nextAttemptAt
    error
    receiver {
      id
      name
    }
  }
`);

export const EventRowChangedDocument = graphql(`
  subscription EventRowChanged($filters: WebhookEventFilters!) {
    webhookEventChanged(filters: $filters) {
      ...EventRow
    }
  }
`);

export const CountEventsDocument = graphql(`
  query CountEvents($filters: WebhookEventFilters!) {
    webhookEventConnection(first: 0, filters: $filters) {
      pageInfo {
        totalCount
      }
    }
  }
`);

/** Redelivering without a status is about what is settled: each such status is counted. */
export const CountSettledEventsDocument = graphql(`
  query CountSettledEvents(
    $delivered: WebhookEventFilters!
    $failed: WebhookEventFilters!
    $cancelled: WebhookEventFilters!
  ) {
    delivered: webhookEventConnection(first: 0, filters: $delivered) {
      pageInfo {
        totalCount
      }
    }
    failed: webhookEventConnection(first: 0, filters: $failed) {
      pageInfo {
        totalCount
      }
    }
    cancelled: webhookEventConnection(first: 0, filters: $cancelled) {
      pageInfo {
        totalCount
      }
    }
  }
`);

export const RedeliverEventsDocument = graphql(`
  mutation RedeliverEvents($filters: WebhookEventFilters!) {
    redeliverWebhookEvents(filters: $filters) {
      count
    }
  }
`);

export const CancelEventsDocument = graphql(`
  mutation CancelEvents($filters: WebhookEventFilters!) {
    cancelWebhookEvents(filters: $filters) {
      count
    }
  }
`);

/** What the pickers of the filters offer. */
export const EventFilterChoicesDocument = graphql(`
  query EventFilterChoices {
    webhookResources {
      name
    }
    webhookReceivers(first: 1000, sort: { field: NAME }) {
      edges {
        node {
          id
          name
        }
      }
    }
    webhookSubscriptions(first: 1000) {
      edges {
        node {
          id
          resource
          action
          receiverId
        }
      }
    }
  }
`);

export type EventRow = EventsPageQuery['webhookEventConnection']['edges'][number]['node'];
