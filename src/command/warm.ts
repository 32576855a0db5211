/**
 * `rcpt warm`, which npm runs before `npm start`: loads what the gateway loads, in both of its threads, so that Node's
 * compile cache (NODE_COMPILE_CACHE in package.json) holds all of it without its types. Where a single module is not
 * in it, Node loads its compiler of 30 MB into the thread that asks, for as long as the gateway lives: 60 MB of its RSS.
 * What was built (`npm run build`) needs none of this.
 */
import '../store/sqlite/thread/entry.ts';
import './examples.ts';
import './sandbox.ts';
import './serve.ts';
