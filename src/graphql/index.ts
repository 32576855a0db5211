/**
 * The GraphQL contract: what clients may ask, translated to the rooms that know. Code-first with Pothos, one file
 * a type, printed to `schema/schema.graphql`.
 *
 * Refuses to know anything itself: a resolver translates, and looks nothing up that was not selected. `syntax` and
 * the facts of a domain's name cost nothing, `mx` and its kin cost DNS, `verification`, `mailbox`,
 * `catchAll` and `greeting` cost SMTP. A bad address is a result; a bad id, cursor, page size or domain is a GraphQL error with
 * `extensions.code`; what a mutation refuses is typed data.
 *
 * Who may ask for what is declared on the fields, as is what it costs; `server` holds callers to both before anything runs.
 *
 * Limits: 100 edges a page, 100 addresses in `emails`, 200 verifications and 20 greetings an operation, 100 ids in `nodes`, 10,000
 * addresses inline in a bulk job, 10 MB in a file of the request, 1,000 characters of an address echoed.
 */
export { type Access, readFieldAccess } from './access.ts';
export { type Bill, refillMs } from './bill.ts';
export {
  type Context,
  createContext,
  type Services,
  type ViewedServices,
  viewServices,
} from './context.ts';
export { type Price, planCost } from './cost.ts';
export { federateSchema } from './federation.ts';
export { readFieldCost } from './field-cost.ts';
export { writeGlobalId } from './global-id.ts';
export { printSchemaText, schema } from './schema.ts';
