/**
 * @generated SignedSource<<f7e13895db08febfaf41673be1f0d95a>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type VerificationReason = "ACCEPTS_BEFORE_CHECKING" | "CATCH_ALL" | "DNS_FAILURE" | "DOMAIN_NOT_FOUND" | "EGRESS_BLOCKED" | "GREYLISTED" | "HOST_UNREACHABLE" | "INTERNAL" | "INVALID_SYNTAX" | "MAILBOX_DISABLED" | "MAILBOX_EXISTS" | "MAILBOX_FULL" | "MAILBOX_NOT_FOUND" | "NO_MAIL_HOST" | "NULL_MX" | "OUT_OF_BUDGET" | "POLICY_REFUSED" | "PROBER_BLOCKED" | "PROTOCOL_ERROR" | "RATE_LIMITED" | "SMTPUTF8_UNSUPPORTED" | "TEMPORARY_FAILURE" | "TIMEOUT" | "TLS_FAILED" | "UNROUTABLE_MAIL_HOST" | "%future added value";
export type VerificationStatus = "DELIVERABLE" | "RISKY" | "UNDELIVERABLE" | "UNKNOWN" | "%future added value";
export type RcptVerifyEmailQuery$variables = {
  address: string;
  maxAge?: any | null | undefined;
};
export type RcptVerifyEmailQuery$data = {
  readonly email: {
    readonly address: string;
    readonly id: string;
    readonly verification: {
      readonly reason: VerificationReason;
      readonly retryAt: any | null | undefined;
      readonly score: number;
      readonly status: VerificationStatus;
    } | null | undefined;
  };
};
export type RcptVerifyEmailQuery = {
  response: RcptVerifyEmailQuery$data;
  variables: RcptVerifyEmailQuery$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "address"
  },
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "maxAge"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "address",
        "variableName": "address"
      }
    ],
    "concreteType": "Email",
    "kind": "LinkedField",
    "name": "email",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "id",
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
        "args": [
          {
            "kind": "Variable",
            "name": "maxAge",
            "variableName": "maxAge"
          }
        ],
        "concreteType": "Verification",
        "kind": "LinkedField",
        "name": "verification",
        "plural": false,
        "selections": [
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
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "score",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "retryAt",
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
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "RcptVerifyEmailQuery",
    "selections": (v1/*:: as any*/),
    "type": "Query",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "RcptVerifyEmailQuery",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "c86b76feaadce04849f38343c1f2c03f",
    "id": null,
    "metadata": {},
    "name": "RcptVerifyEmailQuery",
    "operationKind": "query",
    "text": "query RcptVerifyEmailQuery(\n  $address: String!\n  $maxAge: Duration\n) {\n  email(address: $address) {\n    id\n    address\n    verification(maxAge: $maxAge) {\n      status\n      reason\n      score\n      retryAt\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "fdd509fa2593b13c84e6abbe48e00d97";

export default node;
