import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from './process.ts';

export const KUBERNETES_VERSION = '1.37.2';
const ETCD_VERSION = '3.7.3';

// The libraries that Kubernetes publishes beside itself carry its version with a zero in front.
const STAGING_VERSION = KUBERNETES_VERSION.replace(/^1/, '0');

const MAINS: Readonly<Record<string, string>> = {
  etcd: main(['go.etcd.io/etcd/server/v3/etcdmain'], 'etcdmain.Main(os.Args)'),
  'kube-apiserver': main(
    ['k8s.io/component-base/cli', 'k8s.io/kubernetes/cmd/kube-apiserver/app'],
    'os.Exit(cli.Run(app.NewAPIServerCommand()))',
  ),
  kubectl: main(
    ['k8s.io/component-base/cli', 'k8s.io/kubectl/pkg/cmd'],
    'os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))',
  ),
};

/**
 * Builds etcd, kube-apiserver and kubectl from Go modules into a folder that is there as a whole or not at
 * all. Takes some minutes the first time.
 *
 * `go install` cannot build Kubernetes from outside: its go.mod replaces the libraries that it publishes
 * with folders of its own. So we write a module that asks for the published ones instead.
 */
export async function buildControlPlane(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const draft = await mkdtemp(`${folder}.building-`);
  try {
    await writeFile(join(draft, 'go.mod'), await goModule(draft));
    for (const [name, source] of Object.entries(MAINS)) {
      await mkdir(join(draft, name));
      await writeFile(join(draft, name, 'main.go'), source);
    }
    await go(draft, 'mod', 'tidy');
    for (const name of Object.keys(MAINS))
      await go(
        draft,
        'build',
        '-trimpath',
        '-ldflags',
        linkerFlags(),
        '-o',
        `bin/${name}`,
        `./${name}`,
      );
    await rename(join(draft, 'bin'), folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function goModule(folder: string): Promise<string> {
  const downloaded = await go(
    folder,
    'mod',
    'download',
    '-json',
    `k8s.io/kubernetes@v${KUBERNETES_VERSION}`,
  );
  const { GoMod } = JSON.parse(downloaded) as { readonly GoMod: string };
  const theirs = await readFile(GoMod, 'utf8');
  const [, goVersion] = /^go (\S+)$/m.exec(theirs) ?? [];
  const staging = [...theirs.matchAll(/^\s*(\S+) => \.\/staging\//gm)].map(([, name]) => name);
  return [
    'module control-plane',
    `go ${goVersion}`,
    `require go.etcd.io/etcd/server/v3 v${ETCD_VERSION}`,
    `require k8s.io/kubernetes v${KUBERNETES_VERSION}`,
    ...staging.map((name) => `replace ${name} => ${name} v${STAGING_VERSION}`),
    '',
  ].join('\n');
}

/** Without these a server calls itself v0.0.0-master, and kubectl warns of the distance. */
function linkerFlags(): string {
  const [major, minor] = KUBERNETES_VERSION.split('.');
  const variables = {
    gitVersion: `v${KUBERNETES_VERSION}`,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
  };
  return Object.entries(variables)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .concat('-s', '-w')
    .join(' ');
}

async function go(folder: string, ...parameters: readonly string[]): Promise<string> {
  // -C has to come first, behind the command itself.
  const { code, stdout, stderr } = await run('go', ['-C', folder, ...parameters], {
    environment: { CGO_ENABLED: '0', GOFLAGS: '-mod=mod -buildvcs=false', GOWORK: 'off' },
  });
  if (code === 0) return stdout;
  throw new Error(`go ${parameters.slice(0, 2).join(' ')} failed:\n${stderr.slice(-2000)}`);
}

function main(imports: readonly string[], statement: string): string {
  const lines = ['os', ...imports].map((path) => `\t"${path}"`);
  return `package main\n\nimport (\n${lines.join('\n')}\n)\n\nfunc main() { ${statement} }\n`;
}
