// A gRPC client that knows nothing but the proto files.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { patience, root } from './process.mjs';

const folders = [path.join(root, 'proto'), path.join(root, 'proto/third_party')];
const options = { includeDirs: folders, keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
// Every service there is: they are the files called so.
const definition = protoLoader.loadSync(
  fs.readdirSync(path.join(root, 'proto/pbxgw'), { recursive: true })
    .filter((it) => it.endsWith('_service.proto')).map((it) => `pbxgw/${it}`),
  options,
);
const { v1, provisioning } = grpc.loadPackageDefinition(definition).pbxgw;
const api = { ...v1, Provisioning: provisioning.v1.Provisioning };

// The message types, for what travels on NATS.
export const types = new protobuf.Root();
types.resolvePath = (origin, target) => {
  for (const folder of folders) {
    const file = path.join(folder, target);
    if (target.startsWith('google/protobuf/')) return null; // protobufjs has these itself
    try {
      if (protobuf.util.fs.statSync(file)) return file;
    } catch {}
  }
  return target;
};
await types.load(
  ['pbxgw/v1/event.proto', 'pbxgw/v1/command.proto', 'io/cloudevents/v1/cloudevents.proto',
    'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  { keepCase: true },
);

const Status = types.lookupType('google.rpc.Status');

// The google.rpc details of an error: { ErrorInfo: {…}, BadRequest: {…}, … }
export function detailsOf(error) {
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  const details = {};
  if (!bytes) return details;
  for (const any of Status.decode(bytes).details) {
    const name = any.type_url.slice(any.type_url.lastIndexOf('/') + 1);
    details[name.slice(name.lastIndexOf('.') + 1)] = types.lookupType(name).decode(any.value).toJSON();
  }
  return details;
}

// What went wrong, short: "UNIMPLEMENTED FEATURE_NOT_SUPPORTED".
export function verdict(error) {
  return `${grpc.status[error.code]} ${detailsOf(error).ErrorInfo?.reason ?? '(no ErrorInfo)'}`;
}

// Every RPC of every service, as the protos have them: { service, rpc, definition }.
export const rpcs = Object.entries(api).filter(([, it]) => it.service).flatMap(([service, it]) =>
  Object.entries(it.service).map(([rpc, definition]) => ({ service, rpc, definition })));

export class Gateway {
  // Without credentials; or with those of a TLS channel, and a token in each request.
  constructor(port, { tls, token } = {}) {
    const address = `${tls ? 'localhost' : '127.0.0.1'}:${port}`;
    const credentials = tls ?? grpc.credentials.createInsecure();
    this.metadata = new grpc.Metadata();
    if (token !== undefined) this.metadata.set('authorization', `Bearer ${token}`);
    this.clients = Object.fromEntries(
      Object.entries(api)
        .filter(([, it]) => it.service)
        .map(([name, Service]) => [name, new Service(address, credentials)]),
    );
  }
  // gateway.ask('CallControl', 'MakeCall', {…}): the response, or throws the status.
  ask(service, rpc, request = {}, { limit = patience } = {}) {
    return new Promise((done, fail) => {
      this.clients[service][rpc](request, this.metadata, { deadline: Date.now() + limit }, (error, response) =>
        error ? fail(Object.assign(error, { verdict: verdict(error) })) : done(response),
      );
    });
  }
  // The error it fails with.
  async failure(service, rpc, request, how) {
    try {
      await this.ask(service, rpc, request, how);
    } catch (error) {
      return error;
    }
    throw new Error(`${rpc} succeeded: ${JSON.stringify(request)}`);
  }
  watch(request) {
    return this.clients.Events.Watch(request, this.metadata);
  }
  close() {
    for (const client of Object.values(this.clients)) client.close();
  }
}

export { grpc, randomUUID };
