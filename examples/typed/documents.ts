import { graphql } from './graphql.ts';

/** `schema/operations/VerifyEmails.graphql` */
export const VerifyEmails = graphql(`
  query VerifyEmails($addresses: [String!]!) {
    emails(addresses: $addresses) {
      address
      verification { status reason score retryAt }
    }
  }
`);

/** `schema/operations/StartBulkJob.graphql` */
export const StartBulkJob = graphql(`
  mutation StartBulkJob($input: StartBulkJobInput!) {
    startBulkJob(input: $input) {
      __typename
      ... on BulkJob { id state createdAt progress { total } }
      ... on Error { message code }
    }
  }
`);
