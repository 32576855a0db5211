/**
 * @generated SignedSource<<e99caa05d0fc9b7600e98819df028596>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
export type BulkJobState = "CANCELLED" | "COMPLETED" | "PAUSED" | "QUEUED" | "RUNNING" | "%future added value";
export type ErrorCode = "BAD_FILE" | "BAD_WEBHOOK" | "EMPTY_LIST" | "FILE_TOO_LARGE" | "IDEMPOTENCY_CONFLICT" | "INVALID_STATE" | "NOT_FOUND" | "STORAGE_UNAVAILABLE" | "TOO_MANY_ADDRESSES" | "UPLOAD_INCOMPLETE" | "%future added value";
export type StartBulkJobInput = {
  column?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
  maxAge?: any | null | undefined;
  name?: string | null | undefined;
  retention?: any | null | undefined;
  source: BulkJobSourceInput;
  webhook?: WebhookInput | null | undefined;
};
export type BulkJobSourceInput = {
  addresses: ReadonlyArray<string>;
  file?: never;
  uploadId?: never;
} | {
  addresses?: never;
  file: any;
  uploadId?: never;
} | {
  addresses?: never;
  file?: never;
  uploadId: string;
};
export type WebhookInput = {
  progress?: boolean | null | undefined;
  secret: string;
  url: any;
};
export type RcptStartBulkJobMutation$variables = {
  input: StartBulkJobInput;
};
export type RcptStartBulkJobMutation$data = {
  readonly startBulkJob: {
    readonly __typename: string;
    readonly code?: ErrorCode;
    readonly id?: string;
    readonly message?: string;
    readonly progress?: {
      readonly total: number;
    };
    readonly state?: BulkJobState;
  };
};
export type RcptStartBulkJobMutation = {
  response: RcptStartBulkJobMutation$data;
  variables: RcptStartBulkJobMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "kind": "Variable",
    "name": "input",
    "variableName": "input"
  }
],
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "__typename",
  "storageKey": null
},
v3 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v4 = {
  "kind": "InlineFragment",
  "selections": [
    (v3/*:: as any*/),
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "state",
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
        }
      ],
      "storageKey": null
    }
  ],
  "type": "BulkJob",
  "abstractKey": null
},
v5 = {
  "kind": "InlineFragment",
  "selections": [
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "message",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "code",
      "storageKey": null
    }
  ],
  "type": "Error",
  "abstractKey": "__isError"
};
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "RcptStartBulkJobMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "startBulkJob",
        "plural": false,
        "selections": [
          (v2/*:: as any*/),
          (v4/*:: as any*/),
          (v5/*:: as any*/)
        ],
        "storageKey": null
      }
    ],
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "RcptStartBulkJobMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "startBulkJob",
        "plural": false,
        "selections": [
          (v2/*:: as any*/),
          (v4/*:: as any*/),
          (v5/*:: as any*/),
          {
            "kind": "InlineFragment",
            "selections": [
              (v3/*:: as any*/)
            ],
            "type": "Node",
            "abstractKey": "__isNode"
          }
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "ae677097594225ae22a4ed6e8425ee4e",
    "id": null,
    "metadata": {},
    "name": "RcptStartBulkJobMutation",
    "operationKind": "mutation",
    "text": "mutation RcptStartBulkJobMutation(\n  $input: StartBulkJobInput!\n) {\n  startBulkJob(input: $input) {\n    __typename\n    ... on BulkJob {\n      id\n      state\n      progress {\n        total\n      }\n    }\n    ... on Error {\n      __isError: __typename\n      message\n      code\n    }\n    ... on Node {\n      __isNode: __typename\n      id\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "78baa43ce64048ab6fb254357c18c0b4";

export default node;
