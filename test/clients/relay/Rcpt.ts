// What the artifacts beside this were made from, by `npx relay-compiler@21 test/clients/relay/relay.config.json`; nothing runs it.
import { graphql } from 'relay-runtime';

graphql`
  query RcptVerifyEmailQuery($address: String!, $maxAge: Duration) {
    email(address: $address) {
      id
      address
      verification(maxAge: $maxAge) { status reason score retryAt }
    }
  }
`;

graphql`
  mutation RcptStartBulkJobMutation($input: StartBulkJobInput!) {
    startBulkJob(input: $input) {
      __typename
      ... on BulkJob { id state progress { total } }
      ... on Error { message code }
    }
  }
`;

graphql`
  subscription RcptBulkJobProgressSubscription($id: ID!) {
    bulkJobProgress(id: $id) {
      job { id state }
      progress { total settled }
    }
  }
`;

graphql`
  subscription RcptBulkJobResultsSubscription($id: ID!, $after: String) {
    bulkJobResults(id: $id, after: $after) {
      cursor
      results { position row address status reason }
    }
  }
`;
