/** What the list of subscriptions asks, and what both screens choose from. */
import { graphql } from '@/api';

export const SubscriptionListDocument = graphql(`
  query SubscriptionList($filters: WebhookSubscriptionFilters, $after: String) {
    webhookSubscriptions(first: 100, after: $after, filters: $filters) {
      edges {
        node {
          id
          resource
          action
          active
          changedFields
          filter
          updatedAt
          receiver {
            id
            name
            active
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

export const SubscriptionChoicesDocument = graphql(`
  query SubscriptionChoices {
    webhookResources {
      name
      table
      key
      columns
    }
    webhookReceivers(first: 1000, sort: { field: NAME }) {
      edges {
        node {
          id
          name
          active
        }
      }
    }
  }
`);
