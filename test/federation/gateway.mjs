/**
 * Another company's part, in a process of its own with its own graphql 16: a subgraph of users, whose `email` is a
 * stub by its address, composed with rcpt by Apollo's composition and served by Apollo's gateway.
 * `node gateway.mjs <url of rcpt>`; sends `{ url, hints }` or `{ errors }` to its parent, and ends with it.
 */
import { composeServices } from '@apollo/composition';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { startStandaloneServer } from '@apollo/server/standalone';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';

const rcptUrl = process.argv[2];

const typeDefs = parse(`
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  type Query {
    user: User!
    users(addresses: [String!]!): UserConnection!
  }
  type User @key(fields: "id") { id: ID! email: Email! }
  type UserConnection { nodes: [User!]! pageInfo: PageInfo! }
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Email @key(fields: "address", resolvable: false) { address: String! }
`);

const userOf = (address, index) => ({ id: String(index), email: { address } });
const pageInfo = { hasNextPage: false, hasPreviousPage: false };

const users = new ApolloServer({
  plugins: [ApolloServerPluginInlineTraceDisabled()],
  schema: buildSubgraphSchema([
    {
      typeDefs,
      resolvers: {
        Query: {
          user: () => userOf('user1@accepts.test', 1),
          users: (_root, { addresses }) => ({ nodes: addresses.map(userOf), pageInfo }),
        },
      },
    },
  ]),
});
const listen = { listen: { host: '127.0.0.1', port: 0 } };
const { url: usersUrl } = await startStandaloneServer(users, listen);

const answer = await fetch(rcptUrl, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: '{ _service { sdl } }' }),
});
const { data } = await answer.json();

const { errors, hints, supergraphSdl } = composeServices([
  { name: 'rcpt', url: rcptUrl, typeDefs: parse(data._service.sdl) },
  { name: 'users', url: usersUrl, typeDefs },
]);
process.once('disconnect', () => process.exit(0));
if (errors) {
  process.send({ errors: errors.map(({ message }) => message) });
} else {
  const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl }) });
  const { url } = await startStandaloneServer(server, listen);
  process.send({ url, hints: hints.map(String) });
}
