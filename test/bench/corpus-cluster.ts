import type { Recipe } from './corpus.ts';
import { AMD64, ARM64, makeAttestation, makeImage, makeIndex } from './image.ts';
import { type Layer, makeLayer } from './layer.ts';
import { chances } from './noise.ts';

// Sizes in bytes at scale 1. What a cluster runs shares few bases, and most of its layers are small.
const BASES: readonly (readonly number[])[] = [
  [30e6],
  [38e6],
  [46e6],
  [55e6, 13e6],
  [66e6, 16e6],
  [80e6, 19e6],
];
const SMALLEST = 1_000;
const LARGEST = 60e6;
const LARGEST_OWN = 8e6;

const MULTI_PLATFORM = [
  { repository: 'infrastructure/ingress-controller', tag: 'v1.9.4', base: 2 },
  { repository: 'infrastructure/coredns', tag: '1.11.1', base: 0 },
  { repository: 'infrastructure/metrics-server', tag: 'v0.7.1', base: 0 },
  { repository: 'infrastructure/certificates', tag: 'v1.14.5', base: 2 },
  { repository: 'monitoring/prometheus', tag: 'v2.51.0', base: 1 },
  { repository: 'monitoring/grafana', tag: '10.4.2', base: 2 },
  { repository: 'monitoring/loki', tag: '2.9.8', base: 1 },
  { repository: 'database/postgres', tag: '16.2', base: 1 },
];
const APPLICATIONS = ['checkout', 'catalog', 'payments', 'gateway', 'search', 'reports'];
const RELEASES = ['1.0.0', '1.1.0', '1.2.0'];
const SERVICES = 12;
/** One whose draw comes to 1.3 GB at scale 1, spread as real layers are: most small, a few very large. */
const SEED = 'cluster 12';

/** 38 images of 26 repositories: indexes for two platforms, applications with three tags, and single images. */
export function clusterSet(scale: number): readonly Recipe[] {
  const layers = new Map<string, Layer>();
  const draw = chances(SEED);
  // Drawn once and scaled afterwards: all scales have the same shape.
  const anySize = () => SMALLEST * (LARGEST / SMALLEST) ** draw();
  const count = (least: number, most: number) => least + Math.floor(draw() * (most - least + 1));
  const layer = (name: string, size: number) => {
    const made = layers.get(name) ?? makeLayer(name, Math.max(64, Math.round(size * scale)));
    layers.set(name, made);
    return made;
  };
  const baseOf = (base: number, platform = AMD64) =>
    (BASES[base] ?? []).map((size, part) =>
      layer(`base/${base}/${part}/${platform.architecture}`, size),
    );
  const several = (name: string, least: number, most: number, limit = LARGEST) =>
    Array.from({ length: count(least, most) }, (_, part) =>
      layer(`${name}/${part}`, Math.min(anySize(), limit)),
    );

  const indexes = MULTI_PLATFORM.map(({ repository, tag, base }, number): Recipe => {
    const docker = number % 4 === 3;
    const images = [AMD64, ARM64].map((platform) => {
      const own = several(`${repository}/${platform.architecture}`, 2, 5);
      const parts = [...baseOf(base, platform), ...own];
      return { platform, tree: makeImage({ label: repository, layers: parts, docker, platform }) };
    });
    const attestations = docker ? [] : images.map(({ tree }) => makeAttestation(tree));
    return { repository, tag, root: makeIndex([...images, ...attestations], docker) };
  });
  const applications = APPLICATIONS.flatMap((name, base) => {
    const repository = `applications/${name}`;
    const shared = [...baseOf(base), ...several(`${repository}/dependencies`, 2, 4)];
    return RELEASES.map((tag): Recipe => {
      const own = several(`${repository}/${tag}`, 1, 2, LARGEST_OWN);
      const label = `${repository}:${tag}`;
      const root = makeImage({ label, layers: [...shared, ...own], docker: base % 2 === 0 });
      return { repository, tag, root };
    });
  });
  const services = Array.from({ length: SERVICES }, (_, number): Recipe => {
    const repository = `team-${number % 3}/service-${number}`;
    const parts = [...baseOf((number * 5 + 1) % BASES.length), ...several(repository, 2, 5)];
    const docker = Math.floor(number / 2) % 2 === 0;
    return {
      repository,
      tag: '2024.1',
      root: makeImage({ label: repository, layers: parts, docker }),
    };
  });
  return [...indexes, ...applications, ...services];
}
