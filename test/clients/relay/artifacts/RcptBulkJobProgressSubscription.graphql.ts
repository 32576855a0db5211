/**
 * @generated SignedSource<<587bfb9f5fca1e74f9ee4533697b9f97>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type BulkJobState = "CANCELLED" | "COMPLETED" | "PAUSED" | "QUEUED" | "RUNNING" | "%future added value";
export type RcptBulkJobProgressSubscription$variables = {
  id: string;
};
export type RcptBulkJobProgressSubscription$data = {
  readonly bulkJobProgress: {
    readonly job: {
      readonly id: string;
      readonly state: BulkJobState;
    };
    readonly progress: {
      readonly settled: number;
      readonly total: number;
    };
  };
};
export type RcptBulkJobProgressSubscription = {
  response: RcptBulkJobProgressSubscription$data;
  variables: RcptBulkJobProgressSubscription$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "id"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "id",
        "variableName": "id"
      }
    ],
    "concreteType": "BulkJobProgressEvent",
    "kind": "LinkedField",
    "name": "bulkJobProgress",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "concreteType": "BulkJob",
        "kind": "LinkedField",
        "name": "job",
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
            "name": "state",
            "storageKey": null
          }
        ],
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "concreteType": "BulkJobProgress",
        "kind": "LinkedField",
        "name": "progress",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "total",
            "storageKey": null
          },
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "settled",
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
    "name": "RcptBulkJobProgressSubscription",
    "selections": (v1/*:: as any*/),
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "RcptBulkJobProgressSubscription",
    "selections": (v1/*:: as any*/)
  },
  "params": {
    "cacheID": "be54fd96682166069e0f8e0661d349f8",
    "id": null,
    "metadata": {},
    "name": "RcptBulkJobProgressSubscription",
    "operationKind": "subscription",
    "text": "subscription RcptBulkJobProgressSubscription(\n  $id: ID!\n) {\n  bulkJobProgress(id: $id) {\n    job {\n      id\n      state\n    }\n    progress {\n      total\n      settled\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "2e06ddcd5fea35ee3d5d7e783e2fe921";

export default node;
