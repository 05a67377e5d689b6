/** The door of api/. */
export { Api } from './api.ts';
export { archivedConsumerJson, readArchivedConsumer } from './archived-consumer.ts';
export { consumerInfoJson } from './consumer-wire.ts';
export { consumerClusterJson, replicasOf } from './consumer-cluster.ts';
export { peersJson, replicasJson, streamInfoJson } from './stream-info-json.ts';
export { replaceMember } from './stream-members.ts';
export { dynamicMetadata, streamStateJson } from './stream-wire.ts';
export { peerId } from './wire.ts';
export type * from './backend.ts';
export { findEndpoint } from './routes.ts';
