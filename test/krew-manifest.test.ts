import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';

interface Platform {
  readonly selector: { readonly matchLabels: { readonly os: string; readonly arch: string } };
  readonly uri: string;
  readonly sha256: string;
  readonly bin: string;
}

interface Plugin {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly version: string;
    readonly homepage: string;
    readonly shortDescription: string;
    readonly description: string;
    readonly caveats?: string;
    readonly platforms: readonly Platform[];
  };
}

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const plugin = parse(read('krew-manifest.yaml')) as Plugin;
const { version, bin } = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
};

// The rules of krew's own validator, internal/index/validation/validate.go.
const PAIRS = ['386', 'amd64', 'arm', 'arm64', 'ppc64le']
  .map((arch) => `linux/${arch}`)
  .concat(['386', 'amd64', 'arm64'].flatMap((arch) => [`windows/${arch}`, `darwin/${arch}`]));

describe('the krew manifest', () => {
  it('is a plugin under the name that kubectl turns into our program', () => {
    assert.equal(plugin.apiVersion, 'krew.googlecontainertools.github.com/v1alpha2');
    assert.equal(plugin.kind, 'Plugin');
    assert.match(plugin.metadata.name, /^[\w-]+$/);
    assert.deepEqual(Object.keys(bin), [`kubectl-${plugin.metadata.name.replaceAll('-', '_')}`]);
  });

  it('has the version of the package', () => {
    assert.equal(plugin.spec.version, `v${version}`);
  });

  it('says in one short line what the plugin does, and gives no usage', () => {
    const { shortDescription, description, caveats = '' } = plugin.spec;

    assert.ok(shortDescription.length <= 50 && !shortDescription.includes('\n'));
    assert.doesNotMatch(description + caveats, /kubectl migrate-images|--\w/);
    for (const line of `${description}${caveats}`.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('names each platform once, with a checksum and a program of the right form', () => {
    const { platforms } = plugin.spec;
    const pairs = platforms.map(
      ({ selector: { matchLabels } }) => `${matchLabels.os}/${matchLabels.arch}`,
    );

    assert.ok(platforms.length > 0);
    assert.equal(new Set(pairs).size, pairs.length);
    for (const [index, { uri, sha256, bin }] of platforms.entries()) {
      const pair = pairs[index] ?? '';
      assert.ok(PAIRS.includes(pair), pair);
      assert.match(uri, /^https:\/\/\S+\.(tar\.gz|zip)$/);
      assert.match(sha256, /^[a-f0-9]{64}$/);
      assert.equal(
        bin,
        pair.startsWith('windows') ? 'kubectl-migrate_images.exe' : 'kubectl-migrate_images',
      );
    }
  });
});
