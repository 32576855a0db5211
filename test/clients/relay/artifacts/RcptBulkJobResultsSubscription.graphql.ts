/**
 * @generated SignedSource<<2b138e69d2026d82d3e624c6fa703f61>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type VerificationReason = "ACCEPTS_BEFORE_CHECKING" | "CATCH_ALL" | "DNS_FAILURE" | "DOMAIN_NOT_FOUND" | "EGRESS_BLOCKED" | "GREYLISTED" | "HOST_UNREACHABLE" | "INTERNAL" | "INVALID_SYNTAX" | "MAILBOX_DISABLED" | "MAILBOX_EXISTS" | "MAILBOX_FULL" | "MAILBOX_NOT_FOUND" | "NO_MAIL_HOST" | "NULL_MX" | "OUT_OF_BUDGET" | "POLICY_REFUSED" | "PROBER_BLOCKED" | "PROTOCOL_ERROR" | "RATE_LIMITED" | "SMTPUTF8_UNSUPPORTED" | "TEMPORARY_FAILURE" | "TIMEOUT" | "TLS_FAILED" | "UNROUTABLE_MAIL_HOST" | "%future added value";
export type VerificationStatus = "DELIVERABLE" | "RISKY" | "UNDELIVERABLE" | "UNKNOWN" | "%future added value";
export type RcptBulkJobResultsSubscription$variables = {
  after?: string | null | undefined;
  id: string;
};
export type RcptBulkJobResultsSubscription$data = {
  readonly bulkJobResults: {
    readonly cursor: string;
    readonly results: ReadonlyArray<{
      readonly address: string;
      readonly position: number;
      readonly reason: VerificationReason;
      readonly row: number;
      readonly status: VerificationStatus;
    }>;
  };
};
export type RcptBulkJobResultsSubscription = {
  response: RcptBulkJobResultsSubscription$data;
  variables: RcptBulkJobResultsSubscription$variables;
};

const node: ConcreteRequest = (function(){
var v0 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "after"
},
v1 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "id"
},
v2 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "after",
        "variableName": "after"
      },
      {
        "kind": "Variable",
        "name": "id",
        "variableName": "id"
      }
    ],
    "concreteType": "BulkResultBatch",
    "kind": "LinkedField",
    "name": "bulkJobResults",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "cursor",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "concreteType": "BulkResult",
        "kind": "LinkedField",
        "name": "results",
        "plural": true,
        "selections": [
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "position",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "row",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "address",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "status",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "reason",
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": [
      (v0/*:: as any*/),
      (v1/*:: as any*/)
    ],
    "kind": "Fragment",
    "metadata": null,
    "name": "RcptBulkJobResultsSubscription",
    "selections": (v2/*:: as any*/),
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [
      (v1/*:: as any*/),
      (v0/*:: as any*/)
    ],
    "kind": "Operation",
    "name": "RcptBulkJobResultsSubscription",
    "selections": (v2/*:: as any*/)
  },
  "params": {
    "cacheID": "4a85dd7c21168696d5a7410cb42caf03",
    "id": null,
    "metadata": {},
    "name": "RcptBulkJobResultsSubscription",
    "operationKind": "subscription",
    "text": "subscription RcptBulkJobResultsSubscription(\n  $id: ID!\n  $after: String\n) {\n  bulkJobResults(id: $id, after: $after) {\n    cursor\n    results {\n      position\n      row\n      address\n      status\n      reason\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "752e45b3a58b9204c98fb5840158b5b8";

export default node;
