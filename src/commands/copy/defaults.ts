import type { Defaults } from '../../copy/defaults.ts';
import { repositoryName } from '../../oci/reference.ts';
import { UsageError } from '../errors.ts';

/**
 * Looks at the flags that complete rules before any rule does: one error, not one for each rule.
 *
 * @throws {UsageError} a registry is no host, or a namespace no path
 */
export function checkDefaults(defaults: Defaults): void {
  const { registry, namespace, sourceRegistry, sourceNamespace } = defaults;
  const hosts = { registry, 'default-source-registry': sourceRegistry };
  const paths = { namespace, 'default-source-namespace': sourceNamespace };
  for (const [flag, host] of Object.entries(hosts))
    if (host) check(flag, host, 'a host, such as registry.example.com', () => name(host, 'any'));
  for (const [flag, path] of Object.entries(paths))
    if (path) check(flag, path, 'a path, such as team', () => name('registry.example.com', path));
}

function name(host: string, path: string): unknown {
  return repositoryName(host, path, host);
}

function check(flag: string, value: string, expected: string, parse: () => unknown): void {
  try {
    parse();
  } catch {
    throw new UsageError(`--${flag}: "${value}" is not ${expected}`);
  }
}
