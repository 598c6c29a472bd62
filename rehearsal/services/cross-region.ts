import type { ResourceProvider } from '../template/provider.ts';
import { writeParameter } from './parameter-store.ts';

/**
 * How CDK brings a value from a stack of one region to a stack of another: one function writes parameters there, another
 * reads them. The account has one region for both, and what the functions do is done here.
 */
const writer: ResourceProvider = {
  type: 'Custom::CrossRegionExportWriter',
  properties: ['ServiceToken', 'WriterProps'],
  create({ logicalId, properties }, world) {
    for (const [name, value] of Object.entries<unknown>(properties.WriterProps.exports)) {
      writeParameter(world, name, String(value));
    }
    return { ref: logicalId, attributes: {} };
  },
};

const reader: ResourceProvider = {
  type: 'Custom::CrossRegionExportReader',
  properties: ['ReaderProps', 'ServiceToken'],
  create: ({ logicalId, properties }) => ({
    ref: logicalId,
    // Dynamic references to the parameters, which are resolved by now.
    attributes: Object.fromEntries(
      Object.entries<unknown>(properties.ReaderProps.imports).map(([name, value]) => [name, String(value)]),
    ),
  }),
};

export const crossRegionProviders: readonly ResourceProvider[] = [writer, reader];
