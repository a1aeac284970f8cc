import { metadataUrl } from '../../resource-metadata/options.js';
import type { AuthGuardOptions } from '../options.js';
import type { FoundRoute } from './declared.js';

/** The way to the service's metadata, when it publishes any. No controller has it, so it is added here. */
export function metadataRoute({ resourceMetadata }: AuthGuardOptions): FoundRoute | undefined {
  if (typeof resourceMetadata !== 'object') return undefined;
  return {
    controller: 'ResourceMetadata',
    handler: 'mount',
    method: 'GET',
    path: metadataUrl(resourceMetadata).pathname,
    access: { kind: 'public' },
  };
}
