// How far a stream is, asked by the integration tests' NATS client.
import { createRequire } from 'node:module';

const clients = createRequire(new URL('../tests/integration/node/package.json', import.meta.url));
const { jetstreamManager } = clients('@nats-io/jetstream');
const { connect } = clients('@nats-io/transport-node');
const managers = new Map();

export async function lastSequence(url, stream) {
  if (!managers.has(url)) managers.set(url, await jetstreamManager(await connect({ servers: url })));
  return (await managers.get(url).streams.info(stream)).state.last_seq;
}
