/** What the list of receivers asks for, how a receiver is made, and what is found out about its URI. */
import { graphql } from '@/api';

export const ReceiversDocument = graphql(`
  query Receivers(
    $first: Int!
    $after: String
    $filters: WebhookReceiverFilters
    $sort: WebhookReceiverSort
  ) {
    webhookReceivers(first: $first, after: $after, filters: $filters, sort: $sort) {
      edges {
        node {
          id
          name
          webhookUri
          active
          health
          lastAttempt {
            startedAt
            responseStatus
            error
          }
          rateLimit {
            perSecond
            burst
          }
          stats {
            pending
            deliveredPerSecond
            failedPerSecond
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
        totalCount
      }
    }
  }
`);

export const CheckUriDocument = graphql(`
  query CheckUri($uri: String!) {
    checkWebhookUri(uri: $uri) {
      uri
      accepted
      allowed
      problems
      addresses {
        address
        allowed
        reason
      }
    }
  }
`);

export const CreateReceiverDocument = graphql(`
  mutation CreateReceiver($input: CreateWebhookReceiverInput!) {
    createWebhookReceiver(input: $input) {
      webhookReceiver {
        id
        name
        webhookUri
        contentType
        expectedResponseCode
        sharedSecret
      }
    }
  }
`);
