/**
 * The parts of undici that this package uses, for bundlers. undici is CommonJS: in an ES module that esbuild makes for
 * Node, its `require` calls would fail when the program starts. So package.json gives bundlers this file in place of
 * undici (`#undici`), built with a `require` of its own: see tsup.config.ts.
 */
import connect from 'undici/lib/api/api-connect.js';
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';

export { default as Agent } from 'undici/lib/dispatcher/agent.js';
export { default as Pool } from 'undici/lib/dispatcher/pool.js';
export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js';
export { default as buildConnector } from 'undici/lib/core/connect.js';

// undici's own entry gives its dispatchers their methods. A `ProxyAgent` opens tunnels by this one.
Object.assign(Dispatcher.prototype, { connect });
