import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plotGrowth } from './plot-growth.ts';
import { plotRatios } from './plot-ratios.ts';
import type { Results } from './record.ts';

// Draws all results that stand in docs/performance, or in the folder that is named, beside them.

const FOLDER = fileURLToPath(new URL('../../docs/performance', import.meta.url));
const MEASURES = ['wall', 'CPU', 'memory', 'requests'];

const folder = process.argv[2] ?? FOLDER;
const present = await readdir(folder).catch(() => []);
const files = present.filter((name) => name.endsWith('.json')).sort();
const all = await Promise.all(
  files.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Results),
);
if (all.length === 0) {
  console.error(`no results in ${folder}: npm run bench -- --json ${join(folder, 'NAME.json')}`);
  process.exit(1);
}

for (const measure of MEASURES) {
  const svg = plotRatios(all, measure);
  if (svg !== undefined) await save(`ratios-${measure.toLowerCase()}.svg`, svg);
}
for (const { axis, svg } of plotGrowth(all)) await save(`growth-${axis}.svg`, svg);

async function save(name: string, svg: string): Promise<void> {
  await writeFile(join(folder, name), svg);
  console.log(name);
}
