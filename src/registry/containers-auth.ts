import { join } from 'node:path';
import type { CredentialSource } from './credentials.ts';
import { type AskHelper, homeOf, lazily, loginIn, readAuthsFile } from './docker-config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The logins of podman, skopeo and buildah: $REGISTRY_AUTH_FILE alone if it is set, else the runtime folder's
 * file, else the one of the user's configuration. Keys may be longer than a registry; the longest wins.
 *
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 */
export function containersAuth(environment: Environment, ask: AskHelper): CredentialSource {
  const files = containersAuthPaths(environment).map((path) => lazily(() => readAuthsFile(path)));
  return async (name) => {
    for (const read of files) {
      const file = await read();
      const login =
        file && (await loginIn({ ...file, store: undefined }, name, { ask, nested: true }));
      if (login) return login;
    }
    return undefined;
  };
}

/** Where the tools look, in this order. */
export function containersAuthPaths(environment: Environment): readonly string[] {
  const named = environment['REGISTRY_AUTH_FILE'];
  if (named) return [named];
  const runtime = environment['XDG_RUNTIME_DIR'];
  const configuration = environment['XDG_CONFIG_HOME'] || join(homeOf(environment), '.config');
  return [
    // The folder that stands in for the runtime folder is the tools' own.
    runtime
      ? join(runtime, 'containers', 'auth.json')
      : `/run/containers/${process.getuid?.() ?? 0}/auth.json`,
    join(configuration, 'containers', 'auth.json'),
  ];
}
