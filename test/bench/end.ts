import { fileURLToPath } from 'node:url';
import type { Certificates } from '../support/certificates.ts';
import { startProcess } from '../support/process.ts';
import { type BenchRegistry, startRegistry } from './registry.ts';
import type { LinkOptions } from './relay.ts';

/** One end of a copy: a registry, behind a link where one is asked for. */
export interface End {
  readonly registry: BenchRegistry;
  /** what tools are given: host and port of the link, or of the registry itself */
  readonly host: string;
  /** the relay's; undefined where there is none */
  readonly linkPid: number | undefined;
  close(): Promise<void>;
}

const RELAY = fileURLToPath(new URL('relay-process.ts', import.meta.url));

/**
 * @param link - undefined: tools speak to the registry itself, on loopback
 * @param certificates - the registry speaks TLS with them
 */
export async function openEnd(
  folder: string,
  link: LinkOptions | undefined,
  certificates?: Certificates,
): Promise<End> {
  const registry = await startRegistry(folder, certificates);
  if (!link) return { registry, host: registry.host, linkPid: undefined, close: registry.close };
  const { roundTripMs, bitsPerSecond } = link;
  const rate = bitsPerSecond === undefined ? [] : [`${bitsPerSecond}`];
  const relay = await startProcess({
    command: process.execPath,
    arguments: [RELAY, registry.host, `${roundTripMs}`, ...rate],
    ready: /listening on (\S+)/,
  }).catch(async (error) => {
    await registry.close();
    throw error;
  });
  return {
    ...{ registry, host: relay.ready[1] ?? '', linkPid: relay.pid },
    close: async () => {
      await relay.end();
      await registry.close();
    },
  };
}
