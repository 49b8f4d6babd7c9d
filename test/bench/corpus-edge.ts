import { zstdCompressSync } from 'node:zlib';
import type { Recipe } from './corpus.ts';
import {
  AMD64,
  ARM64,
  CONFIG_OCI,
  LAYER_OCI,
  makeImage,
  makeIndex,
  makeManifest,
  type Tree,
} from './image.ts';
import { type Blob, blobOf, makeLayer } from './layer.ts';

const SIZE = 20_000;
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';

/** One image of each odd kind that registries hold. */
export function edgeSet(): readonly Recipe[] {
  const signed = plain('signed');
  const described = plain('described');
  const kinds: readonly (readonly [name: string, tag: string, root: Tree])[] = [
    ['zstd', '1', zstd()],
    ['nested', '1', nested()],
    ['no-layers', '1', makeImage({ label: 'no-layers', layers: [] })],
    ['twice', '1', twice()],
    ['signed', '1.0', signed],
    ['signed', `${tagOf(signed)}.sig`, signature(signed)],
    ['described', '1.0', described],
    // What a client writes where the registry knows no referrers.
    ['described', tagOf(described), makeIndex([{ tree: description(described) }])],
    ['artifact', 'v1', artifact()],
    ['chart', '0.1.0', chart()],
    ['list', '1', list()],
  ];
  const odd = kinds.map(([name, tag, root]): Recipe => ({ repository: `edge/${name}`, tag, root }));
  const deep = { repository: 'deep/path-with/many_components/x.y/image', tag: 'Tag_With.UPPER-1' };
  return [...odd, { ...deep, root: plain('deep', true) }];
}

function plain(name: string, docker = false): Tree {
  return makeImage({ label: name, layers: [makeLayer(`edge/${name}`, SIZE)], docker });
}

function zstd(): Tree {
  const inside = blobOf(zstdCompressSync(Buffer.alloc(SIZE, 'zstd')));
  const config = blobOf(JSON.stringify({ ...AMD64, rootfs: { type: 'layers', diff_ids: [] } }));
  return makeManifest({
    ...{ config, configType: CONFIG_OCI },
    layers: [
      { blob: inside, mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd' },
      { blob: makeLayer('edge/zstd', SIZE), mediaType: LAYER_OCI },
    ],
  });
}

function nested(): Tree {
  const inner = makeIndex([
    { tree: plain('nested-amd64'), platform: AMD64 },
    { tree: plain('nested-arm64'), platform: ARM64 },
  ]);
  const other = { os: 'linux', architecture: 's390x' };
  return makeIndex([{ tree: inner }, { tree: plain('nested-s390x', true), platform: other }]);
}

function twice(): Tree {
  const layer = makeLayer('edge/twice', SIZE);
  return makeImage({ label: 'twice', layers: [layer, layer], docker: true });
}

function list(): Tree {
  const arm = { os: 'linux', architecture: 'arm', variant: 'v7' };
  return makeIndex(
    [
      { tree: plain('list-amd64', true), platform: AMD64 },
      { tree: plain('list-arm', true), platform: arm },
    ],
    true,
  );
}

/** As cosign pushes it, under a tag that names the signed digest. */
function signature(subject: Tree): Tree {
  const payload = blobOf(JSON.stringify({ critical: { image: subject.descriptor.digest } }));
  return makeManifest({
    config: blobOf(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [payload.digest] } })),
    configType: CONFIG_OCI,
    layers: [{ blob: payload, mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json' }],
  });
}

function description(subject: Tree): Tree {
  const type = 'application/spdx+json';
  return makeManifest({
    config: blobOf('{}'),
    configType: EMPTY_CONFIG,
    layers: [{ blob: blobOf(JSON.stringify({ spdxVersion: 'SPDX-2.3' })), mediaType: type }],
    fields: { artifactType: type, subject: subject.descriptor },
  });
}

function artifact(): Tree {
  const part: Blob = makeLayer('edge/artifact', SIZE);
  return makeManifest({
    config: blobOf('{}'),
    configType: EMPTY_CONFIG,
    layers: [{ blob: part, mediaType: 'application/vnd.example.part' }],
    fields: { artifactType: 'application/vnd.example.thing' },
  });
}

function chart(): Tree {
  const type = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
  return makeManifest({
    config: blobOf(JSON.stringify({ name: 'chart', version: '0.1.0', apiVersion: 'v2' })),
    configType: 'application/vnd.cncf.helm.config.v1+json',
    layers: [{ blob: makeLayer('edge/chart', SIZE), mediaType: type }],
  });
}

function tagOf({ descriptor }: Tree): string {
  return descriptor.digest.replace(':', '-');
}
